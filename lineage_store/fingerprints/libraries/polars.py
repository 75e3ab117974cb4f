"""polars: frames and series by names, data types and values; a plan has no fingerprint."""

import sys
from collections.abc import Iterator
from typing import Any

from lineage_store import errors
from lineage_store.fingerprints.walk import Part, Walk, tagged


def parts(polars: Any, value: Any, walk: Walk) -> Iterator[Part] | None:
    """Return the parts of a value of polars; None: its type is unknown.

    Raises:
        InvalidArgument: It is a LazyFrame, whose data is unknown before it is collected.
    """
    if isinstance(value, polars.LazyFrame):
        raise errors.InvalidArgument(
            "a LazyFrame has no fingerprint: it is a plan, not data; collect it first"
        )
    if isinstance(value, polars.DataFrame):
        return _frame(polars, value, walk)
    if isinstance(value, polars.Series):
        return _series(polars, value, walk)
    if isinstance(value, polars.Schema):
        return walk.pairs(value.items())
    is_type = isinstance(value, polars.DataType)
    return _data_type(polars, value, walk) if is_type else None


def _frame(polars: Any, value: Any, walk: Walk) -> Iterator[Part]:
    yield walk.token(value.shape)
    for column in value.get_columns():
        yield tagged("series", _series(polars, column, walk))


def _series(polars: Any, value: Any, walk: Walk) -> Iterator[Part]:
    yield walk.token(value.name)
    yield tagged("dtype", _data_type(polars, value.dtype, walk))
    dtype = value.dtype
    if dtype == polars.String:
        yield from _texts(value, walk)
    elif dtype == polars.Boolean or dtype.is_temporal() or dtype.is_integer() or dtype.is_float():
        yield from _numbers(value, walk)
    else:
        yield from walk.tokens(value.to_list())


def _data_type(polars: Any, dtype: Any, walk: Walk) -> Iterator[Part]:
    yield repr(dtype).encode("utf-8", "surrogatepass")
    if isinstance(dtype, polars.Enum):  # its text is cut
        yield walk.token(dtype.categories.to_list())


def _numbers(value: Any, walk: Walk) -> Iterator[Part]:
    """Yield the places of missing values, and the numbers with zeros there."""
    yield walk.token(value.is_null().to_numpy())
    physical = value.to_physical()
    nothing = False if physical.dtype == sys.modules["polars"].Boolean else 0
    yield walk.token(physical.fill_null(nothing).to_numpy())


def _texts(value: Any, walk: Walk) -> Iterator[Part]:
    yield walk.token(value.is_null().to_numpy())
    yield walk.token(value.str.len_bytes().fill_null(0).to_numpy())
    yield "".join(value.drop_nulls().to_list()).encode("utf-8", "surrogatepass")
