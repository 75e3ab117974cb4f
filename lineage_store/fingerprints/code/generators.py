"""The random generators that Python and numpy keep for the whole process.

A step that draws from one changes it for whoever draws next, and puts out something else when it
runs again. One that gives the generator a seed itself is as good as one that draws nothing.
"""

import sys
from typing import Any

from lineage_store.fingerprints.code.graph import CodeGraph, NoFingerprint

_GENERATORS = {"random": "_inst", "numpy.random.mtrand": "_rand"}
"""The generator of each module."""

_SEEDS = frozenset({"seed", "setstate", "set_state"})
_READS = frozenset({"getstate", "get_state"})


def note(graph: CodeGraph, value: Any, label: str) -> None:
    """Note that code reaches a method of a generator of the process."""
    owner = getattr(value, "__self__", None)
    for name, generator in _GENERATORS.items():
        names = vars(sys.modules.get(name, sys))
        if any(value is names.get(each, names) for each in _SEEDS):
            graph.seeded.add(name)
        elif owner is not None and owner is names.get(generator):
            if value.__name__ in _SEEDS:
                graph.seeded.add(name)
            elif value.__name__ not in _READS:
                graph.drawn.setdefault(name, label)


def check(graph: CodeGraph, settings: dict[str, Any]) -> None:
    """Refuse code that draws from a generator to which it gives no seed.

    Args:
        graph: Of the code.
        settings: Those that count; the state of a generator to which the code gives a seed is
            taken out.

    Raises:
        NoFingerprint: It draws, and nobody vouches for it.
    """
    for name in graph.seeded:
        settings.pop(name, None)
    for name in graph.drawn.keys() - graph.seeded - settings.keys():
        if not graph.is_lenient:
            raise NoFingerprint(
                f"{graph.drawn[name]} draws from the generator of {name.partition('.')[0]} to "
                "which the step gives no seed; give it one, pass a generator, or pass version="
            )
