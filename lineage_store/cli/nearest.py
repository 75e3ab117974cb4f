"""Errors for unknown names, with the most similar name that exists."""

from collections.abc import Iterable
from difflib import get_close_matches

from lineage_store import errors
from lineage_store.entities.plain import printable
from lineage_store.kinds import NodeKind
from lineage_store.recording.history import list_runs
from lineage_store.recording.naming import PIPELINE
from lineage_store.store import LineageStore

MOST_NAMES = 10_000
"""Names among which the nearest one is looked for."""


def unknown(noun: str, name: str, names: Iterable[str | None]) -> errors.NotFound:
    """Return the error for a name that nothing has.

    Args:
        noun: The kind of thing, such as "artifact type".
        name: The name.
        names: The names that there are.
    """
    [*nearest] = get_close_matches(name, sorted({each for each in names if each}), n=1, cutoff=0.6)
    hint = f"; did you mean {printable(nearest[0])!r}?" if nearest else ""
    return errors.NotFound(f"there is no {noun} {printable(name)!r}{hint}")


def check_type(store: LineageStore, kind: NodeKind, name: str, version: str | None) -> None:
    """Check that a type exists.

    Raises:
        NotFound: It does not; the message names the nearest one.
    """
    if getattr(store, f"find_{kind.name}_type")(name, version) is None:
        types = getattr(store, f"list_{kind.name}_types")()
        versions = sorted({each.version or "" for each in types if each.name == name})
        if versions:
            there_is = ", ".join(
                map(printable, (each or "one without version" for each in versions))
            )
            raise errors.NotFound(
                f"there is no {kind.name} type {printable(name)!r} of this version; "
                f"there is: {there_is}"
            )
        raise unknown(f"{kind.name} type", name, (each.name for each in types))


def check_pipeline(store: LineageStore, name: str) -> None:
    """Check that a pipeline exists; raises NotFound as `check_type` does."""
    if store.find_context_type(PIPELINE) is None:
        raise unknown("pipeline", name, ())
    if store.find_context(type=PIPELINE, name=name) is None:
        raise unknown("pipeline", name, _names_of(store))


def _names_of(store: LineageStore) -> Iterable[str | None]:
    for count, context in enumerate(store.iter_contexts(type=PIPELINE)):
        if count == MOST_NAMES:
            return
        yield context.name


def unknown_run(store: LineageStore, name: str) -> errors.NotFound:
    """Return the error for a run that nothing is called, with the nearest of the last 100."""
    recent = list_runs(store, limit=100).items
    return unknown("run", name, [each for run in recent for each in (run.run, run.name)])
