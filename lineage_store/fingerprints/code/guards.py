"""What a digest rests on: to ask whether it is still so is cheaper than to make it anew."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import CellType, FunctionType
from typing import Any, NamedTuple

MISSING: Any = object()
"""No value is bound to the name."""

FileState = tuple[int, int, int, int]
"""Size, times of the last change of content and of anything (ns), and inode."""


class WatchedFile(NamedTuple):
    """A file whose content counts.

    Attributes:
        path: Where it is.
        state: What it was like before it was read; None: it could not be looked at.
        digest: Of its content; "": only the state tells whether it was changed.
    """

    path: str
    state: FileState | None
    digest: str = ""


def file_state(path: str) -> FileState | None:
    """Return what shows whether a file was changed; None: it can't be read."""
    try:
        state = os.stat(path)  # noqa: PTH116 - called for hundreds of files
    except OSError:
        return None
    return state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino


@dataclass(slots=True)
class Guards:
    """What a digest rests on.

    Attributes:
        names: Mappings, names in them, and what these are bound to.
        sizes: Mappings, and how many names they have.
        functions: Functions with their code, their defaults, and those of their keywords.
        cells: Cells of closures, and what they hold.
        values: Values that can change, their labels and digests.
        files: Files, and their states.
    """

    names: list[tuple[Mapping[str, Any], str, Any]] = field(default_factory=list)
    sizes: list[tuple[Mapping[str, Any], int]] = field(default_factory=list)
    functions: list[tuple[FunctionType, Any, Any, Any]] = field(default_factory=list)
    cells: list[tuple[CellType, Any]] = field(default_factory=list)
    values: list[tuple[Any, str, bytes]] = field(default_factory=list)
    files: list[WatchedFile] = field(default_factory=list)

    def hold(self) -> bool:
        """Return whether all but the values are as they were."""
        return (
            self._names_hold()
            and all(len(names) == size for names, size in self.sizes)
            and self._functions_hold()
            and all(_content(cell) is value for cell, value in self.cells)
            and all(file_state(file.path) == file.state for file in self.files)
        )

    def _names_hold(self) -> bool:
        return all(names.get(name, MISSING) is value for names, name, value in self.names)

    def _functions_hold(self) -> bool:
        for function, code, defaults, keywords in self.functions:
            if (
                function.__code__ is not code
                or function.__defaults__ is not defaults
                or function.__kwdefaults__ is not keywords
            ):
                return False
        return True


def _content(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return MISSING
