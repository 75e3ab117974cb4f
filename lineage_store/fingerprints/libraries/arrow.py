"""Arrow: schema and values in the format of Arrow's streams; cuts into chunks do not count."""

from collections.abc import Iterator
from typing import Any

from lineage_store.fingerprints.walk import Part, Walk


def parts(arrow: Any, value: Any, walk: Walk) -> Iterator[Part] | None:
    """Return the parts of a value of Arrow; None: its type is unknown."""
    if isinstance(value, arrow.Array | arrow.ChunkedArray):
        return _stream(arrow, arrow.table({"": value}))
    if isinstance(value, arrow.RecordBatch):
        return _stream(arrow, arrow.Table.from_batches([value]))
    if isinstance(value, arrow.Table):
        return _stream(arrow, value)
    if isinstance(value, arrow.Scalar):
        return walk.tokens([value.type, value.as_py()])
    return _schema(arrow, value)


def _schema(arrow: Any, value: Any) -> Iterator[Part] | None:
    if isinstance(value, arrow.DataType):
        value = arrow.schema([("", value)])
    elif isinstance(value, arrow.Field):
        value = arrow.schema([value])
    if not isinstance(value, arrow.Schema):
        return None
    return iter([memoryview(value.serialize())])


def _stream(arrow: Any, table: Any) -> Iterator[Part]:
    # `take` leaves no trace of a slice, nor of bytes in the place of a missing value.
    places = arrow.array(range(table.num_rows), arrow.int64())
    whole = table.unify_dictionaries().combine_chunks().take(places)
    sink = arrow.BufferOutputStream()
    with arrow.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(whole)
    yield memoryview(sink.getvalue())
