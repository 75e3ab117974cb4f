"""Digests of values that code reaches or takes as arguments: their types and their contents.

An object counts by its class, which is a node of the graph if it is of the project, and by its
state. An object without a readable state, such as an open file, has no fingerprint.
"""

import functools
import logging
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from enum import Enum
from hashlib import sha256
from pathlib import Path, PurePath
from types import BuiltinFunctionType, CodeType, MappingProxyType, MethodType
from typing import Any

from lineage_store import errors
from lineage_store.fingerprints import values
from lineage_store.fingerprints.code import patches, reaching, state
from lineage_store.fingerprints.code.bytecode import constant
from lineage_store.fingerprints.code.classes import registered_classes
from lineage_store.fingerprints.code.graph import CodeGraph, NoFingerprint
from lineage_store.fingerprints.code.guards import WatchedFile, file_state
from lineage_store.fingerprints.code.names import installed_name, is_data, is_named, is_node
from lineage_store.fingerprints.code.origins import within_project
from lineage_store.fingerprints.code.stability import is_stable

_SCALARS = frozenset({type(None), bool, int, float, complex, str, bytes, type(...)})

_TOOLS = (logging.Logger, logging.LoggerAdapter, type(threading.Lock()), type(threading.RLock()))
"""Types of objects that can't change an outcome; such an object counts by its type."""

_inner: dict[type, Callable[[Any], Any]] = {}


def see_through(kind: type, inner: Callable[[Any], Any]) -> None:
    """Make objects of a type, and of its subclasses, count as the values that they stand for.

    Args:
        kind: The type.
        inner: Returns the value that an object stands for, such as the function that it wraps.
    """
    _inner[kind] = inner


def _inner_of(kind: type) -> Callable[[Any], Any] | None:
    return next((_inner[base] for base in kind.__mro__ if base in _inner), None)


def encode(graph: CodeGraph, value: Any, label: str) -> bytes:
    """Return the bytes that stand for a value: a few for a node or a scalar, else a digest.

    Raises:
        NoFingerprint: It has none; the message names it by its label.
    """
    kind = type(value)
    if kind in _SCALARS:
        return constant(value)
    encoder = Encoder(graph)
    encoder.visit(value, label)
    return encoder.digest()


class Encoder:
    """Reads one value and its contents.

    Args:
        graph: Numbers the functions and classes that are met.
    """

    def __init__(self, graph: CodeGraph, first_positions: dict[int, int] | None = None) -> None:
        self._graph = graph
        self._content = sha256()
        self._first_positions = dict(first_positions or {})
        self._pinned_values: list[Any] = []

    def digest(self) -> bytes:
        """Return the digest of everything read so far."""
        return self._content.digest()

    def write(self, *parts: str | bytes) -> None:
        """Add parts to the hash."""
        for part in parts:
            encoded = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
            self._content.update(len(encoded).to_bytes(8, "big"))
            self._content.update(encoded)

    def visit(self, value: Any, label: str) -> None:
        """Read a value.

        Raises:
            NoFingerprint: It has no fingerprint.
        """
        self._graph.spend()
        if type(value) in _SCALARS:
            self.write(constant(value))
        elif _has_no_identity(value):
            self._visit_new(value, label)
        elif id(value) in self._first_positions:
            self.write("again", str(self._first_positions[id(value)]))
        else:
            self._first_positions[id(value)] = len(self._first_positions)
            self._pinned_values.append(value)
            self._visit_new(value, label)

    def _visit_new(self, value: Any, label: str) -> None:
        try:
            self._encode_value(value, label)
        except NoFingerprint:
            if not self._graph.is_lenient:
                raise
            self.write("opaque", _type_name(type(value)))

    def _encode_value(self, value: Any, label: str) -> None:
        inner = _inner_of(type(value))
        if inner is not None:
            self.visit(inner(value), label)
            return
        name = installed_name(value) if is_node(value) or _is_installed_callable(value) else None
        if name is not None:
            self._read_installed(value, name, label)
        elif is_node(value):
            self.write("node", str(self._graph.number(value, label)))
        else:
            self._read_object(value, label)

    def _read_installed(self, value: Any, name: str, label: str) -> None:
        """Read an installed thing by its name, and the project's changes to it."""
        reaching.refuse(self._graph, value, label)
        self.write("installed", name)
        for each in registered_classes(value) if isinstance(value, type) else ():
            self.visit(each, f"the class {each.__qualname__} that is registered with {label}")
        if isinstance(value, type):
            for attribute, patch in patches.patched(value):
                self.write("patch", attribute)
                self.visit(patch, attribute)

    def _read_object(self, value: Any, label: str) -> None:
        kind = type(value)
        encoder = next((r for base, r in _READERS.items() if issubclass(kind, base)), None)
        try:
            if values.is_registered(kind):
                self.write("data", values.fingerprint(value))
            elif is_data(kind):
                self._read_data(value, label)
            elif encoder is not None:
                encoder(self, value, label)
            else:
                self._read_state(value, label)
        except (NoFingerprint, LookupError, RecursionError, MemoryError):
            raise
        except Exception as error:
            raise no_fingerprint(label, kind, error) from None

    def _read_data(self, value: Any, label: str) -> None:
        """Read an array, a table or the like, and the project's classes of objects in it."""
        kinds: dict[type, None] = {}
        try:
            self.write("data", values.fingerprint(value, on_type=kinds.setdefault))
        except errors.InvalidArgument:
            self._read_state(value, label)
            return
        for kind in kinds:
            if installed_name(kind) is None or any(patches.patched(kind)):
                self.visit(kind, f"class {kind.__qualname__}")

    def _read_state(self, value: Any, label: str) -> None:
        """Read the class of an object, and all that it holds."""
        kind = type(value)
        self.write("object")
        self.visit(kind, f"class {kind.__qualname__}")
        for part in state.contents(value):
            self.write("content")
            self.visit(part, f"an item of {label}")
        for name, attribute in state.attributes(value):
            self.write("attribute", name)
            self.visit(attribute, f"{label}.{name}")
        if state.hidden_bytes(kind):
            self._read_reduced(value, label)

    def _read_reduced(self, value: Any, label: str) -> None:
        """Read an object by its pickled form."""
        if hasattr(type(value), "__next__"):
            raise no_fingerprint(label, type(value))
        reduced = state.reduced(value)
        if isinstance(reduced, str):
            if not is_named(value, reduced):
                raise no_fingerprint(label, type(value))
            self.write("global", str(type(value).__module__), reduced)
            return
        for part in reduced:
            self.visit(part, label)

    def read_file(self, path: Path) -> str:
        """Return the digest of a file, and remember the state of the file."""
        state = file_state(str(path))
        digest = values.fingerprint(path)
        self._graph.guards.files.append(WatchedFile(str(path), state, digest))
        return digest

    def reads_directory(self, path: Path) -> bool:
        """Return whether a path is a directory of which the content counts."""
        return self._graph.reads_directories and path.is_dir()

    def items(self, several: Iterator[Any], label: str) -> None:
        """Read values in their order."""
        for at, item in enumerate(several):
            self.write("item")
            self.visit(item, f"{label}[{at}]")

    def pairs(self, mapping: Any, label: str) -> None:
        """Read keys and values in their order."""
        for key, item in mapping.items():
            self.write("key")
            self.visit(key, f"a key of {label}")
            self.visit(item, f"{label}[{key!r:.40}]" if type(key) in _SCALARS else label)

    def members(self, several: Any, label: str) -> None:
        """Read values that have no order."""
        digests = []
        for item in sorted(several, key=_rank):
            alone = Encoder(self._graph, self._first_positions)
            alone.visit(item, f"an item of {label}")
            digests.append(alone.digest())
        self.write(*sorted(digests))


def no_fingerprint(label: str, kind: type, error: Exception | None = None) -> NoFingerprint:
    """Return the error that names a thing without a fingerprint, and a remedy."""
    why = "" if error is None or isinstance(error, errors.LineageError) else f" ({error})"
    return NoFingerprint(
        f"{label} of type {kind.__qualname__} has no fingerprint{why:.200}; "
        "register one, or pass version="
    )


def _type_name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _has_no_identity(value: Any) -> bool:
    """Return whether it makes no difference if a value is met twice, or an equal one."""
    kind = type(value)
    return is_data(kind) or (kind in {tuple, frozenset} and is_stable(value))


def _is_installed_callable(value: Any) -> bool:
    return callable(value) and installed_name(type(value)) is not None


def _rank(item: Any) -> tuple[str, str]:
    """Return the sort key of an item of a set: the same in every process, if possible."""
    name = repr(item) if type(item) in _SCALARS else str(getattr(item, "__qualname__", ""))
    return type(item).__qualname__, name


def _read_list(encoder: Encoder, value: Any, label: str) -> None:
    if type(value) not in {list, tuple}:
        encoder._read_state(value, label)  # noqa: SLF001 - of this module
        return
    encoder.write(type(value).__name__)
    encoder.items(iter(value), label)


def _read_dict(encoder: Encoder, value: Any, label: str) -> None:
    if type(value) is MappingProxyType:
        encoder.write("mappingproxy")
    elif type(value) is dict:
        encoder.write("dict")
    else:
        encoder._read_state(value, label)  # noqa: SLF001
        return
    encoder.pairs(value, label)


def _read_set(encoder: Encoder, value: Any, label: str) -> None:
    if type(value) in {set, frozenset}:
        encoder.write(type(value).__name__)
    else:
        encoder._read_state(value, label)  # noqa: SLF001
    encoder.members(value, label)


def _read_partial(encoder: Encoder, value: Any, label: str) -> None:
    encoder.write(type(value).__name__)
    encoder.visit(value.func, f"{label}.func")
    encoder.items(iter(value.args), f"{label}.args")
    encoder.pairs(value.keywords, f"{label}.keywords")


def _read_method(encoder: Encoder, value: Any, label: str) -> None:
    encoder.write("method", value.__name__)
    if isinstance(value, MethodType):
        encoder.visit(value.__func__, label)
    owner = value.__self__
    if owner is not None:
        encoder.visit(owner, f"the object of {label}")


def _read_descriptor(encoder: Encoder, value: Any, label: str) -> None:
    encoder.write(type(value).__name__)
    encoder.visit(value.__func__, label)


def _read_property(encoder: Encoder, value: Any, label: str) -> None:
    encoder.write(type(value).__name__)
    for function in (value.fget, value.fset, value.fdel):
        encoder.visit(function, label)
    _read_more(encoder, value, property, label)


def _read_more(encoder: Encoder, value: Any, base: type, label: str) -> None:
    """Read the additions of a subclass of the project."""
    if type(value) is not base:
        encoder.visit(type(value), f"class {type(value).__qualname__}")
        for name, attribute in state.attributes(value):
            encoder.write("attribute", name)
            encoder.visit(attribute, f"{label}.{name}")


def _read_cached_function(encoder: Encoder, value: Any, label: str) -> None:
    encoder.write("cached", repr(value.cache_parameters()))
    encoder.visit(value.__wrapped__, label)


def _read_enum(encoder: Encoder, value: Any, label: str) -> None:
    encoder.write("member", str(value._name_))
    encoder.visit(type(value), f"class {type(value).__qualname__}")
    if value._name_ is None or "|" in value._name_:
        encoder.visit(value._value_, label)


def _read_path(encoder: Encoder, value: Any, label: str) -> None:
    """Read a path: a file counts by name and content, anything else by where it is.

    So does a directory that a step is given; code names those that it works in, which may be large.
    """
    del label
    if isinstance(value, Path) and (value.is_file() or encoder.reads_directory(value)):
        encoder.write("file", value.name, encoder.read_file(Path(value)))
    else:
        encoder.write("path", type(value).__name__, within_project(str(value)))


def _read_tool(encoder: Encoder, value: Any, label: str) -> None:
    del label
    encoder.write("tool", _type_name(type(value)))


def _read_variable(encoder: Encoder, value: Any, label: str) -> None:
    encoder.write("variable", value.name)
    encoder.visit(value.get(None), label)


def _read_code(encoder: Encoder, value: Any, label: str) -> None:
    del encoder, value
    raise NoFingerprint(f"{label} is code that is known only when it runs; pass version=")


_READERS: dict[type, Callable[[Encoder, Any, str], None]] = {
    Enum: _read_enum,
    list: _read_list,
    tuple: _read_list,
    dict: _read_dict,
    MappingProxyType: _read_dict,
    set: _read_set,
    frozenset: _read_set,
    functools.partial: _read_partial,
    MethodType: _read_method,
    BuiltinFunctionType: _read_method,
    type([].__len__): _read_method,
    staticmethod: _read_descriptor,
    classmethod: _read_descriptor,
    property: _read_property,
    type(functools.lru_cache(len)): _read_cached_function,
    PurePath: _read_path,
    ContextVar: _read_variable,
    CodeType: _read_code,
    **dict.fromkeys(_TOOLS, _read_tool),
}
"""The reader for the values of a type and of its subclasses."""
