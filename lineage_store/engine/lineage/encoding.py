"""Parts of an answer, put together from stored bytes."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from google.protobuf.internal.encoder import _VarintBytes  # type: ignore[attr-defined]

from lineage_store.engine.responses import one
from lineage_store.kinds import NodeKind
from lineage_store.v1 import lineage_pb2 as pb

PART_BYTES = 1_000_000
"""About how large a part of a streamed answer is."""

_FIELDS = {name: field.number for name, field in pb.TraceResponse.DESCRIPTOR.fields_by_name.items()}


def varint(field_number: int, value: int) -> bytes:
    """Return the encoding of an integer field that is not negative."""
    encoded: bytes = _VarintBytes(field_number << 3) + _VarintBytes(value)
    return encoded


def id_only(node_id: int) -> bytes:
    """Return an encoded artifact, execution or context that has its id alone."""
    return varint(1, node_id)


@lru_cache(maxsize=4096)
def _prefix(field_number: int, size: int) -> bytes:
    """Return what comes before a message of a size; a trace needs the same few again and again."""
    encoded: bytes = _VarintBytes(field_number << 3 | 2) + _VarintBytes(size)
    return encoded


def parts(
    hop: int, kind: NodeKind, nodes: Iterable[bytes], events: Sequence[bytes]
) -> Iterator[bytes]:
    """Return encoded TraceResponses that together hold some nodes and events, none too large."""
    start = varint(_FIELDS["hop"], hop)
    fields = [_prefix(_FIELDS[kind.plural], len(body)) + body for body in nodes]
    fields += [_prefix(_FIELDS["events"], len(body)) + body for body in events]
    held: list[bytes] = []
    size = 0
    for field in fields:
        if held and size + len(field) > PART_BYTES:
            yield start + b"".join(held)
            held, size = [], 0
        held.append(field)
        size += len(field)
    if held:
        yield start + b"".join(held)


def last_part(verdict: pb.Verdict) -> bytes:
    """Return the encoded TraceResponse that ends an answer."""
    return one(_FIELDS["verdict"], verdict.SerializeToString())
