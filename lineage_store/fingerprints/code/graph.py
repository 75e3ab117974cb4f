"""All that code, or a value, can reach, as one digest.

The nodes of the graph are functions, classes and modules. Each is numbered when it is first met and
described once, in that order, so no depth of the code can hurt. A node mentions either
other nodes, which count by their numbers, or values, which count by their contents.
"""

from collections import deque
from collections.abc import Callable, Mapping
from hashlib import sha256
from types import CellType
from typing import Any

from lineage_store import errors
from lineage_store.fingerprints.code.guards import MISSING, GuardedValue, Guards, Watch
from lineage_store.fingerprints.code.origins import origin_of_loaded
from lineage_store.fingerprints.code.stability import are_unchanged, containers_in, is_stable

MAX_NODES = 100_000
"""Functions, classes and modules of one graph."""


MAX_VALUES = 2_000_000
"""Values of one graph, those within others counted."""


class NoFingerprint(errors.InvalidArgument):
    """Something can't be told from other things; the message names it."""


class CodeGraph:
    """Numbers and describes everything that code reaches.

    Args:
        describe: Writes the description of a node.
        encode: Returns the digest of a value; takes the graph, the value and its label.
        is_lenient: Things without a fingerprint count by their types' names: somebody vouches.
        is_kept: It will be asked whether it holds.
    """

    def __init__(
        self,
        describe: Callable[["CodeGraph", Any, str], None],
        encode: Callable[["CodeGraph", Any, str], bytes],
        *,
        is_lenient: bool = False,
        is_kept: bool = False,
    ) -> None:
        self.guards = Guards()
        self.is_lenient = is_lenient
        self.labels: list[str] = []
        self._is_kept = is_kept
        self._watch: Watch | None = None
        self.reads_directories = False
        self._describe = describe
        self._encode = encode
        self._content = sha256()
        self._numbers: dict[int, int] = {}
        self._pinned_values: list[Any] = []
        self._queue: deque[tuple[Any, str]] = deque()
        self._is_closed = False
        self._room = MAX_VALUES

    def digest(
        self,
        root: Any,
        label: str,
        *,
        with_directories: bool = False,
        surroundings: "Callable[[CodeGraph], None] | None" = None,
    ) -> bytes:
        """Return the digest of a function, or of any value, and of all that it reaches.

        Args:
            root: The function, or the value.
            label: Its name in errors.
            with_directories: Directories that the value itself names count by their contents.
            surroundings: Writes whatever counts besides.
        """
        self.reads_directories = with_directories
        self.value(root, label)
        self.reads_directories = False
        if surroundings is not None:
            surroundings(self)
        while self._queue:
            node, name = self._queue.popleft()
            self.write("node")
            self._describe(self, node, name)
        self._is_closed = True
        self._watch = Watch(self.guards) if self._is_kept else None
        return self._content.digest()

    @property
    def has_nodes(self) -> bool:
        """True if the code reaches anything of the project."""
        return bool(self._pinned_values)

    def holds(self) -> bool:
        """Return whether all that was read is still as it was, so that the digest is."""
        watch = self._watch
        return watch is not None and watch.holds() and all(map(self._is_as_it_was, watch.values))

    def _is_as_it_was(self, guarded: GuardedValue) -> bool:
        if guarded.containers is not None and are_unchanged(guarded.containers):
            return True
        return self._encode(self, guarded.value, guarded.label) == guarded.digest

    def number(self, node: Any, label: str) -> int:
        """Return the number of a function, class or module, which is described in its turn.

        Raises:
            LookupError: The graph is complete, and it is none of its nodes.
        """
        number = self._numbers.get(id(node))
        if number is not None:
            return number
        if self._is_closed:
            raise LookupError(label)
        if len(self._pinned_values) >= MAX_NODES:
            raise NoFingerprint(f"its code reaches more than {MAX_NODES} functions and classes")
        number = self._numbers[id(node)] = len(self._pinned_values)
        self._pinned_values.append(node)
        self.labels.append(label)
        self._queue.append((node, label))
        return number

    def spend(self) -> None:
        """Count a value.

        Raises:
            NoFingerprint: There are too many.
        """
        self._room -= 1
        if self._room < 0 and not self._is_closed:
            raise NoFingerprint(f"its code reaches more than {MAX_VALUES} values")

    def write(self, *parts: str | bytes) -> None:
        """Add parts to the content of the node that is described."""
        for part in parts:
            encoded = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
            self._content.update(len(encoded).to_bytes(8, "big"))
            self._content.update(encoded)

    def value(self, value: Any, label: str) -> None:
        """Add a value, or the number of a node, to the content of the node that is described."""
        self.write(self._guarded(value, label))

    def fixed(self, value: Any, label: str) -> None:
        """Add a value that does not change as long as it is bound."""
        self.write(self._encode(self, value, label))

    def _guarded(self, value: Any, label: str) -> bytes:
        if is_stable(value):
            return self._encode(self, value, label)
        containers = containers_in(value) if self._is_kept else None
        digest = self._encode(self, value, label)
        self.guards.values.append(GuardedValue(value, label, digest, containers))
        return digest

    def bound(self, names: Mapping[str, Any], name: str, label: str) -> Any:
        """Return the value that a name is bound to, and remember the binding; MISSING: none."""
        value = names.get(name, MISSING)
        self.guards.names.append((names, name, value))
        if value is MISSING:
            self.write("missing", name)
        else:
            self.write("name", name)
            self.value(value, label)
        return value

    def cell(self, cell: CellType, label: str) -> None:
        """Add the contents of a closure."""
        try:
            value = cell.cell_contents
        except ValueError:  # not assigned yet
            value = MISSING
        self.guards.cells.append((cell, value))
        if value is MISSING:
            self.write("empty")
        else:
            self.value(value, label)


def is_project_module(module: Any) -> bool:
    """Return whether a loaded module is one of the project."""
    return origin_of_loaded(module).is_project
