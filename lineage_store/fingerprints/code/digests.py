"""Digests of code and its arguments, computed once and reused while nothing changes."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Any

from lineage_store import errors
from lineage_store.fingerprints.code import changes
from lineage_store.fingerprints.code.encoding import encode
from lineage_store.fingerprints.code.graph import CodeGraph, NoFingerprint
from lineage_store.fingerprints.code.guards import WatchedFile
from lineage_store.fingerprints.code.nodes import describe
from lineage_store.fingerprints.code.origins import PYTHON

_FORMAT = "lineage-store code 2"
_LARGEST = 500_000
"""Names and values of a graph that is kept to be asked again."""

_MOST = 256
"""Functions whose graphs are kept."""


@dataclass(frozen=True, slots=True)
class Code:
    """The code of a step.

    Attributes:
        digest: "sha256:…"; None: it has none.
        why: Names the thing without a fingerprint, and a remedy: the digest is good for a record,
            and not for a key. None: everything has one.
        files: Files that the digest rests on and that may be read later, and their states.
    """

    digest: str | None
    why: str | None = None
    files: tuple[WatchedFile, ...] = ()


def code_digest(function: Callable[..., Any]) -> str:
    """Return "sha256:…" over all that a function reaches; see this package.

    Raises:
        NoFingerprint: Something that it reaches can't be told from other things.
    """
    code = code_of(function)
    if code.digest is None or code.why is not None:
        raise NoFingerprint(code.why or "its code has no fingerprint")
    return code.digest


def code_of(function: Callable[..., Any], *, is_vouched: bool = False) -> Code:
    """Return the digest of a function's code, and the limits of that digest; never raises.

    Args:
        function: Anything that can be called.
        is_vouched: Somebody vouches for things without a fingerprint, by naming a version: each
            counts by the name of its type.
    """
    try:
        graph, digest = _graph_of(function, is_vouched)
    except NoFingerprint as error:
        recorded = None if is_vouched else code_of(function, is_vouched=True).digest
        return Code(recorded, error.message)
    except RecursionError:
        return Code(None, "its code holds values that are nested too deep")
    except Exception as error:  # whatever the program's own objects raise
        return Code(None, f"its code can't be read: {type(error).__name__}: {error}"[:500])
    return Code(digest, None, tuple(graph.guards.files))


def value_digest(value: Any, label: str, files: list[WatchedFile] | None = None) -> str:
    """Return "sha256:…" over a value, with the code of the project's classes that it is made of.

    Args:
        value: Any object.
        label: The name of the value in errors, such as "parameter config".
        files: Takes the files whose content counts, and their states before they were read.

    Raises:
        NoFingerprint: It can't be told from other values.
    """
    graph = CodeGraph(describe, encode)
    try:
        digest = graph.digest(value, label, with_directories=True)
    except RecursionError:
        raise NoFingerprint(f"{label} is nested too deep") from None
    except (errors.LineageError, OSError):
        raise
    except Exception as error:  # whatever the value's own methods raise
        raise NoFingerprint(f"{label} can't be read: {error!r:.200}; pass version=") from None
    if files is not None:
        files += graph.guards.files
    return _text(digest)


_Kept = tuple[CodeGraph, str, list[changes.Change]]

_graphs: dict[tuple[int, bool], tuple[Any, _Kept]] = {}
"""The graphs of the latest functions; each keeps the values that it read alive. No lock, which a
process that is forked meanwhile would hold for ever."""


def _graph_of(function: Callable[..., Any], is_lenient: bool) -> tuple[CodeGraph, str]:
    project_changes = changes.changes_of_project()
    key = id(function), is_lenient
    owner, kept = _graphs.get(key, (None, None))
    if kept is not None and owner is function and _is_good(kept, project_changes):
        return kept[:2]
    graph = CodeGraph(describe, encode, is_lenient=is_lenient, is_kept=True)
    surroundings = partial(changes.describe, project_changes=project_changes)
    digest = _text(graph.digest(function, _label(function), surroundings=surroundings))
    if len(graph.guards.names) + len(graph.guards.values) < _LARGEST:
        _graphs[key] = function, (graph, digest, project_changes)
        with suppress(KeyError, RuntimeError, StopIteration):  # another thread makes room as well
            while len(_graphs) > _MOST:
                del _graphs[next(iter(_graphs))]
    return graph, digest


def _is_good(kept: _Kept, project_changes: list[changes.Change]) -> bool:
    return changes.are_same(kept[2], project_changes) and _holds(kept[0])


def _holds(graph: CodeGraph) -> bool:
    try:
        return graph.holds()
    except Exception:  # new content: computing the digest anew says what is wrong
        return False


def _label(function: Callable[..., Any]) -> str:
    return str(getattr(function, "__qualname__", type(function).__qualname__))


def _text(digest: bytes) -> str:
    content = f"{_FORMAT} {PYTHON.label}\0".encode() + digest
    return f"sha256:{sha256(content).hexdigest()}"
