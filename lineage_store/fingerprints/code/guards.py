"""Everything that a digest rests on: checking it is cheaper than computing the digest anew."""

import os
from abc import get_cache_token
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from operator import attrgetter, is_, itemgetter
from types import CellType, FunctionType
from typing import Any, NamedTuple

from lineage_store.fingerprints.code.stability import Container

MISSING: Any = object()
"""No value is bound to the name."""

FileState = tuple[int, int, int, int]
"""Size, times of the last change of content and of anything (ns), and inode."""


class WatchedFile(NamedTuple):
    """A file whose content counts.

    Attributes:
        path: Where it is.
        state: Its state before it was read; None: unknown.
        digest: Of its content; "": only the state tells whether it was changed.
    """

    path: str
    state: FileState | None
    digest: str = ""


def file_state(path: str) -> FileState | None:
    """Return the state of a file, which shows any change; None: it can't be read."""
    try:
        state = os.stat(path)  # noqa: PTH116 - called for hundreds of files
    except OSError:
        return None
    return state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino


class GuardedValue(NamedTuple):
    """A value that can change.

    Attributes:
        value: The value.
        label: Its name in errors.
        digest: Of its former content.
        containers: All lists, dicts and sets in it and their former items, if nothing else in it
            can change; None: compare the digest.
    """

    value: Any
    label: str
    digest: bytes
    containers: list[Container] | None = None


@dataclass(slots=True)
class Guards:
    """Everything that a digest rests on.

    Attributes:
        names: Mappings, names in them, and the values of these.
        sizes: Mappings, and how many names they have.
        functions: Functions with their code, their defaults, and those of their keywords.
        cells: Cells of closures, and their contents.
        values: Values that can change.
        files: Files, and their states.
    """

    names: list[tuple[Mapping[str, Any], str, Any]] = field(default_factory=list)
    sizes: list[tuple[Mapping[str, Any], int]] = field(default_factory=list)
    functions: list[tuple[FunctionType, Any, Any, Any]] = field(default_factory=list)
    cells: list[tuple[CellType, Any]] = field(default_factory=list)
    values: list[GuardedValue] = field(default_factory=list)
    files: list[WatchedFile] = field(default_factory=list)


class Watch:
    """Looks whether guards hold, thousands of them in a millisecond.

    Everything is looked at once however often it was met, and in flat loops that Python runs
    without its interpreter.

    Args:
        guards: Complete: none is added later.
    """

    def __init__(self, guards: Guards) -> None:
        self._names, self._unbound_names = _by_mapping(guards.names)
        self._sized = [names for names, _ in guards.sizes]
        self._sizes = [size for _, size in guards.sizes]
        self._functions = [each[0] for each in guards.functions]
        self._parts = [[each[at] for each in guards.functions] for at in (1, 2, 3)]
        self._cells = guards.cells
        self._registrations = get_cache_token()
        self._files = list({(each.path, each.state): each for each in guards.files}.values())
        self.values = list({(id(each.value), each.digest): each for each in guards.values}.values())

    def holds(self) -> bool:
        """Return whether all but the values are as they were."""
        return (
            self._names_hold()
            and list(map(len, self._sized)) == self._sizes
            and self._functions_hold()
            and all(_content(cell) is value for cell, value in self._cells)
            and self._registrations == get_cache_token()
            and all(file_state(file.path) == file.state for file in self._files)
        )

    def _names_hold(self) -> bool:
        try:
            for names, values_of, values in self._names:
                if not all(map(is_, values_of(names), values)):
                    return False
        except KeyError:
            return False
        return not any(name in names for names, name in self._unbound_names)

    def _functions_hold(self) -> bool:
        return all(
            all(map(is_, map(part_of, self._functions), parts))
            for part_of, parts in zip(_PARTS, self._parts, strict=True)
        )


_PARTS = tuple(map(attrgetter, ("__code__", "__defaults__", "__kwdefaults__")))

_Bound = list[tuple[Mapping[str, Any], Callable[[Mapping[str, Any]], Any], list[Any]]]


def _by_mapping(
    names: list[tuple[Mapping[str, Any], str, Any]],
) -> tuple[_Bound, list[tuple[Mapping[str, Any], str]]]:
    """Return readers of all names of a mapping at once, and the unbound names."""
    bound: dict[int, tuple[Mapping[str, Any], list[str], list[Any]]] = {}
    unbound_names = []
    for each in {(id(m), name, id(value)): (m, name, value) for m, name, value in names}.values():
        mapping, name, value = each
        if value is MISSING:
            unbound_names.append((mapping, name))
        else:
            _, several, values = bound.setdefault(id(mapping), (mapping, [], []))
            several.append(name)
            values.append(value)
    return [(m, itemgetter(*n, n[0]), [*v, v[0]]) for m, n, v in bound.values()], unbound_names


def _content(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return MISSING
