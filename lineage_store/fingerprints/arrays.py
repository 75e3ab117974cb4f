"""What makes up an array or a table of numpy, pandas or Arrow, for a fingerprint.

None of the three is imported here: a value of theirs can't exist before they are.

- An array is its data type with its byte order, its shape, and its elements in C order.
- A series is its name, its index and its values; a frame its column labels, its index and the
  values of each column. Data types and the places of missing values count; how pandas keeps them in
  memory does not.
- An Arrow table is its schema and its values in the format of Arrow's streams; how it is cut into
  chunks does not count.
"""

import sys
from collections.abc import Callable, Iterator
from typing import Any

Part = bytes | memoryview
Inner = Callable[[Any], bytes]
"""Returns the digest of a value inside of another."""


def parts(value: Any, inner: Inner) -> Iterator[Part] | None:
    """Return what a value of one of the libraries is made up of; None: it is none that we know.

    Args:
        value: An array, a series, a frame, an index, an Arrow array or table.
        inner: Returns the digest of a label, or of an element that is an object.
    """
    library = _library(type(value))
    return None if library is None else _READERS[library](sys.modules[library], value, inner)


def _library(kind: type) -> str | None:
    roots = (base.__module__.partition(".")[0] for base in kind.__mro__)
    return next((root for root in roots if root in _READERS), None)


def _numpy(numpy: Any, value: Any, inner: Inner) -> Iterator[Part] | None:
    if isinstance(value, numpy.ma.MaskedArray):
        return _masked(numpy, value, inner)
    if isinstance(value, numpy.ndarray | numpy.generic):
        return _array(numpy, numpy.asarray(value), inner)
    return iter([b"dtype", str(value).encode()]) if isinstance(value, numpy.dtype) else None


def _masked(numpy: Any, value: Any, inner: Inner) -> Iterator[Part]:
    """Yield the mask, and the elements with zeros in the place of those that are masked."""
    yield b"masked"
    yield from _array(numpy, numpy.ma.getmaskarray(value), inner)
    yield from _array(numpy, value.filled(numpy.zeros((), value.dtype)[()]), inner)


def _array(numpy: Any, value: Any, inner: Inner) -> Iterator[Part]:
    yield b"array"
    yield repr(value.shape).encode()
    if value.dtype.names is not None:  # field by field: the bytes between them are anything
        yield repr(value.dtype.names).encode()
        for name in value.dtype.names:
            yield from _array(numpy, value[name], inner)
    elif value.dtype.hasobject or value.dtype.kind == "T":
        yield str(value.dtype).encode()
        yield from map(inner, value.ravel().tolist())
    else:
        yield value.dtype.str.encode()
        flat = numpy.ascontiguousarray(value).reshape(-1)
        yield flat.view(numpy.uint8).data if flat.nbytes else b""


def _pandas(pandas: Any, value: Any, inner: Inner) -> Iterator[Part] | None:
    if isinstance(value, pandas.DataFrame):
        return _frame(pandas, value, inner)
    if isinstance(value, pandas.Series):
        return _series(pandas, value, inner)
    if isinstance(value, pandas.Index):
        return _index(pandas, value, inner)
    if isinstance(value, pandas.api.extensions.ExtensionArray):
        return _series(pandas, pandas.Series(value), inner)
    return _scalar(pandas, value, inner)


def _frame(pandas: Any, value: Any, inner: Inner) -> Iterator[Part]:
    yield b"frame"
    yield repr(value.shape).encode()
    yield from _index(pandas, value.columns, inner)
    yield from _index(pandas, value.index, inner)
    for at in range(value.shape[1]):  # by place: two columns may have one label
        yield from _values(pandas, value.iloc[:, at], inner)


def _series(pandas: Any, value: Any, inner: Inner) -> Iterator[Part]:
    yield b"series"
    yield inner(value.name)
    yield from _index(pandas, value.index, inner)
    yield from _values(pandas, value, inner)


def _index(pandas: Any, value: Any, inner: Inner) -> Iterator[Part]:
    yield b"index"
    yield repr(value.nlevels).encode()
    for at, name in enumerate(value.names):
        yield inner(name)
        yield from _values(pandas, value.get_level_values(at), inner)


def _values(pandas: Any, column: Any, inner: Inner) -> Iterator[Part]:
    """Yield the data type of a column or of a level, and its values."""
    numpy, dtype, values = sys.modules["numpy"], column.dtype, column.array
    yield b"values"
    yield str(dtype).encode()
    if isinstance(dtype, pandas.CategoricalDtype):
        yield b"ordered" if dtype.ordered else b"unordered"
        yield from _values(pandas, dtype.categories, inner)
        yield from _array(numpy, values.codes.astype("<i8"), inner)
    elif isinstance(dtype, pandas.DatetimeTZDtype):
        yield from _array(numpy, values.asi8, inner)
    elif isinstance(dtype, numpy.dtype) and dtype.kind != "O":
        yield from _array(numpy, numpy.asarray(values), inner)
    else:
        yield from _objects(numpy, values, inner)


def _objects(numpy: Any, values: Any, inner: Inner) -> Iterator[Part]:
    """Yield the places of missing values, what is missing there, and the others."""
    is_missing = numpy.asarray(values.isna(), dtype=bool)
    yield from _array(numpy, is_missing, inner)
    yield from map(inner, values[is_missing])
    present = list(values[~is_missing])
    if {type(value) for value in present} == {str}:  # by far the most frequent
        encoded = [value.encode("utf-8", "surrogatepass") for value in present]
        yield from _array(numpy, numpy.array([len(text) for text in encoded], "<i8"), inner)
        yield b"".join(encoded)
    else:
        yield from map(inner, present)


def _scalar(pandas: Any, value: Any, inner: Inner) -> Iterator[Part] | None:
    """Return what a single value is made up of: a moment, a span, an interval, or a missing one."""
    name = type(value).__name__.encode()
    if value is pandas.NA or value is pandas.NaT:
        return iter([name])
    if isinstance(value, pandas.Timestamp | pandas.Timedelta):
        return iter([name, value.isoformat().encode(), value.unit.encode()])
    if isinstance(value, pandas.Period):
        return iter([name, str(value).encode(), value.freqstr.encode()])
    if isinstance(value, pandas.Interval):
        return iter([name, value.closed.encode(), inner(value.left), inner(value.right)])
    return None


def _arrow(arrow: Any, value: Any, inner: Inner) -> Iterator[Part] | None:
    del inner  # Arrow has no objects of Python
    if isinstance(value, arrow.Array | arrow.ChunkedArray):
        value = arrow.table({"": value})
    elif isinstance(value, arrow.RecordBatch):
        value = arrow.Table.from_batches([value])
    return _stream(arrow, value) if isinstance(value, arrow.Table) else None


def _stream(arrow: Any, table: Any) -> Iterator[Part]:
    sink = arrow.BufferOutputStream()
    with arrow.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    yield b"arrow"
    yield memoryview(sink.getvalue())


_READERS: dict[str, Callable[[Any, Any, Inner], Iterator[Part] | None]] = {
    "numpy": _numpy,
    "pandas": _pandas,
    "pyarrow": _arrow,
}
