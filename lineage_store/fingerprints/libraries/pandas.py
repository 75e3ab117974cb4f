"""pandas: frames, series and indexes by labels, data types and values.

Data types, the places of missing values, `attrs`, `flags` and the frequency of an index count. How
pandas keeps values in memory does not, nor whether an index of integers is a range.
"""

import sys
from collections.abc import Iterator
from typing import Any

from lineage_store.fingerprints.instances import state
from lineage_store.fingerprints.libraries.numpy import elements
from lineage_store.fingerprints.walk import Part, Walk, tagged

_OWN = frozenset({"_mgr", "_item_cache", "_attrs", "_flags", "_name", "_cacher", "_is_copy"})
"""Attributes of frames and series that are read otherwise, or are not part of the value."""


def parts(pandas: Any, value: Any, walk: Walk) -> Iterator[Part] | None:
    """Return the parts of a value of pandas; None: its type is unknown."""
    if isinstance(value, pandas.DataFrame):
        return _frame(pandas, value, walk)
    if isinstance(value, pandas.Series):
        return _series(pandas, value, walk)
    if isinstance(value, pandas.Index):
        return _index(pandas, value, walk)
    if isinstance(value, pandas.api.extensions.ExtensionArray):
        return _values(pandas, pandas.Series(value), walk)
    if isinstance(value, pandas.api.extensions.ExtensionDtype):
        return _data_type(pandas, value, walk)
    return _scalar(pandas, value, walk)


def _frame(pandas: Any, value: Any, walk: Walk) -> Iterator[Part]:
    yield walk.token(value.shape)
    yield tagged("columns", _index(pandas, value.columns, walk))
    yield tagged("index", _index(pandas, value.index, walk))
    for at in range(value.shape[1]):  # by place: two columns may have one label
        yield tagged("values", _values(pandas, value.iloc[:, at], walk))
    yield from _surroundings(pandas.DataFrame, value, walk)


def _series(pandas: Any, value: Any, walk: Walk) -> Iterator[Part]:
    yield walk.token(value.name)
    yield tagged("index", _index(pandas, value.index, walk))
    yield from _values(pandas, value, walk)
    yield from _surroundings(pandas.Series, value, walk)


def _surroundings(base: type, value: Any, walk: Walk) -> Iterator[Part]:
    yield walk.token(value.attrs)
    yield walk.token(value.flags.allows_duplicate_labels)
    if type(value) is not base:
        yield state(value, walk, without=_OWN)


def _index(pandas: Any, value: Any, walk: Walk) -> Iterator[Part]:
    is_of_integers = type(value) in {pandas.Index, pandas.RangeIndex}
    yield b"" if is_of_integers else type(value).__qualname__.encode()
    yield walk.token(value.nlevels)
    has_frequency = isinstance(value, pandas.DatetimeIndex | pandas.TimedeltaIndex)
    yield walk.token(value.freq if has_frequency else None)
    for at, name in enumerate(value.names):
        yield walk.token(name)
        yield tagged("level", _values(pandas, value.get_level_values(at), walk))


def _values(pandas: Any, column: Any, walk: Walk) -> Iterator[Part]:
    """Yield the data type of a column or of a level, and its values."""
    numpy, dtype, values = sys.modules["numpy"], column.dtype, column.array
    yield tagged("dtype", _data_type(pandas, dtype, walk))
    if isinstance(dtype, pandas.CategoricalDtype):
        yield from elements(numpy, values.codes.astype("<i8"), walk)
    elif isinstance(dtype, pandas.DatetimeTZDtype):
        yield from elements(numpy, values.asi8, walk)
    elif isinstance(dtype, numpy.dtype) and dtype.kind != "O":
        yield from elements(numpy, numpy.asarray(values), walk)
    else:
        yield from _objects(numpy, values, walk)


def _data_type(pandas: Any, dtype: Any, walk: Walk) -> Iterator[Part]:
    yield f"{type(dtype).__qualname__} {dtype}".encode("utf-8", "surrogatepass")
    if isinstance(dtype, pandas.CategoricalDtype):
        yield walk.token(dtype.ordered)
        yield walk.token(None if dtype.categories is None else pandas.Series(dtype.categories))


def _objects(numpy: Any, values: Any, walk: Walk) -> Iterator[Part]:
    """Yield the positions of missing values, those values, and the others."""
    is_missing = numpy.asarray(values.isna(), dtype=bool)
    yield from elements(numpy, is_missing, walk)
    yield from walk.tokens(values[is_missing])
    present = list(values[~is_missing])
    if {type(value) for value in present} == {str}:  # by far the most frequent
        encoded = [value.encode("utf-8", "surrogatepass") for value in present]
        yield from elements(numpy, numpy.array([len(text) for text in encoded], "<i8"), walk)
        yield b"".join(encoded)
    else:
        yield from walk.tokens(present)


def _scalar(pandas: Any, value: Any, walk: Walk) -> Iterator[Part] | None:
    """Return the parts of a single value: a moment, a span, an interval, or a missing one."""
    if value is pandas.NA or value is pandas.NaT:
        return walk.tokens(())
    attributes = {
        pandas.Timestamp: ("value", "unit", "tzinfo", "fold"),
        pandas.Timedelta: ("value", "unit"),
        pandas.Period: ("ordinal", "freqstr"),
        pandas.Interval: ("closed", "left", "right"),
        pandas.offsets.BaseOffset: ("n", "normalize", "freqstr", "kwds"),
    }
    for kind, names in attributes.items():
        if isinstance(value, kind):
            return walk.tokens(getattr(value, name) for name in names)
    return None
