"""numpy: arrays and scalars by data type, shape and elements; generators by their state.

An array that lies in memory by columns (Fortran's order) is not the same as one by rows, since sums
over them may be rounded otherwise. Strides make no other difference: a slice is its copy.
"""

import sys
from collections.abc import Iterator
from typing import Any

from lineage_store.fingerprints.instances import state
from lineage_store.fingerprints.names import library_name
from lineage_store.fingerprints.walk import Part, Walk, tagged, type_name

_OF_MASKED = frozenset(
    {"_mask", "_fill_value", "_hardmask", "_sharedmask", "_isfield", "_baseclass", "_optinfo"}
    | {"_basedict"}
)
_OF_MEMMAP = frozenset({"_mmap", "filename", "offset"})
_EXTENDED_BYTES = 10
"""Bytes of an 80-bit float; the others that it takes up in memory may be anything."""


def parts(numpy: Any, value: Any, walk: Walk) -> Iterator[Part] | None:
    """Return the parts of a value of numpy; None: its type is unknown."""
    if isinstance(value, numpy.ma.MaskedArray):
        return _masked(numpy, value, walk)
    if isinstance(value, numpy.ndarray):
        return _array(numpy, value, walk)
    if isinstance(value, numpy.generic):
        return elements(numpy, numpy.asarray(value), walk)
    if isinstance(value, numpy.dtype):
        return data_type(value, walk)
    random = sys.modules.get("numpy.random")
    if random is not None and isinstance(value, _random_kinds(random)):
        return iter([walk.token(_random_state(random, value))])
    return _named(value)


def _random_kinds(random: Any) -> tuple[type, ...]:
    return random.Generator, random.BitGenerator, random.RandomState, random.SeedSequence


def _random_state(random: Any, value: Any) -> Any:
    if isinstance(value, random.RandomState):
        return value.get_state(legacy=False)
    if isinstance(value, random.SeedSequence):
        return value.state
    if isinstance(value, random.Generator):
        return value.bit_generator
    seeds = value.seed_seq  # what `spawn` takes from
    return value.state, seeds if isinstance(seeds, random.SeedSequence) else None


def _named(value: Any) -> Iterator[Part] | None:
    """Return the name of a function of numpy, which is of a type of numpy's own."""
    name = library_name(value, frozenset({"numpy"})) if callable(value) else None
    if name is None and type_name(type(value)) == "numpy.ufunc":
        is_own = getattr(sys.modules["numpy"], value.__name__, None) is value
        name = f"numpy.{value.__name__}" if is_own else None
    return None if name is None else iter([name.encode()])


def _array(numpy: Any, value: Any, walk: Walk) -> Iterator[Part]:
    yield from elements(numpy, numpy.asarray(value), walk)
    if type(value) is not numpy.ndarray:
        yield state(value, walk, without=_OF_MEMMAP)


def _masked(numpy: Any, value: Any, walk: Walk) -> Iterator[Part]:
    """Yield the mask, and the elements with zeros in the place of those that are masked."""
    yield from elements(numpy, numpy.ma.getmaskarray(value), walk)
    zeros = value.filled(numpy.zeros((), value.dtype)[()])
    yield from elements(numpy, numpy.asarray(zeros), walk)
    yield walk.token(numpy.asarray(value.fill_value))
    yield walk.token(bool(value.hardmask))
    yield state(value, walk, without=_OF_MASKED)


def elements(numpy: Any, value: Any, walk: Walk) -> Iterator[Part]:
    """Yield shape, order in memory, data type and elements of a plain array."""
    yield walk.token(value.shape)
    yield b"F" if value.flags.f_contiguous and not value.flags.c_contiguous else b"C"
    yield tagged("dtype", data_type(value.dtype, walk))
    yield from _content(numpy, value, walk)


def _content(numpy: Any, value: Any, walk: Walk) -> Iterator[Part]:
    if value.dtype.names is not None:  # field by field: the bytes between them are anything
        for name in value.dtype.names:
            yield from _content(numpy, value[name], walk)
    elif value.dtype.hasobject or value.dtype.kind == "T":
        yield from walk.tokens(value.ravel().tolist())
    else:
        flat = numpy.ascontiguousarray(value).reshape(-1)
        yield _bytes(numpy, flat) if flat.nbytes else b""


def _bytes(numpy: Any, flat: Any) -> Part:
    content = flat.view(numpy.uint8)
    kind, size = flat.dtype.kind, numpy.dtype(numpy.longdouble).itemsize
    is_extended = numpy.finfo(numpy.longdouble).nmant == 63  # noqa: PLR2004 - of 80 bits
    if is_extended and kind in "fc" and flat.dtype.itemsize // (2 if kind == "c" else 1) == size:
        content = numpy.ascontiguousarray(content.reshape(-1, size)[:, :_EXTENDED_BYTES])
    return memoryview(content).cast("B")


def data_type(dtype: Any, walk: Walk) -> Iterator[Part]:
    """Yield the parts of a data type: a structure has fields, a subarray a shape."""
    yield dtype.str.encode()
    yield str(dtype).encode() if dtype.kind == "T" else b""
    yield walk.token(None if dtype.metadata is None else dict(dtype.metadata))
    if dtype.subdtype is not None:
        yield walk.token(dtype.subdtype)
    elif dtype.names is not None:
        yield walk.token((dtype.type, dtype.itemsize, dtype.isalignedstruct))
        yield from walk.pairs((name, dtype.fields[name]) for name in dtype.names)
