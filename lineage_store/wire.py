"""The wire: service descriptors, RPC methods and the few bytes that the store encodes alone.

Client and server both stand on this module, so neither needs the other.
"""

from functools import lru_cache

from google.protobuf.message_factory import GetMessageClass

from lineage_store.v1 import (
    audit_pb2,
    cache_pb2,
    history_pb2,
    lineage_pb2,
    metadata_service_pb2,
)

SERVICE = metadata_service_pb2.DESCRIPTOR.services_by_name["MetadataStoreService"]
LINEAGE = lineage_pb2.DESCRIPTOR.services_by_name["LineageService"]
CACHE = cache_pb2.DESCRIPTOR.services_by_name["CacheService"]
HISTORY = history_pb2.DESCRIPTOR.services_by_name["HistoryService"]
AUDIT = audit_pb2.DESCRIPTOR.services_by_name["AuditService"]
METHODS = {
    method.name: method
    for service in (SERVICE, LINEAGE, CACHE, HISTORY, AUDIT)
    for method in service.methods
}
"""Every RPC by its name."""

RESPONSES = {name: GetMessageClass(method.output_type) for name, method in METHODS.items()}
"""The class of the response of every RPC, or of each message of a stream."""

REASON_KEY = "lineage-store-reason"
"""Trailing metadata that names the class of an error (see `lineage_store.errors`)."""

REVISION_KEY = "lineage-store-revision"
"""Trailing metadata with the token of the revision that a call wrote or read; in the metadata of a
read, with any value: answer it."""

AT_KEY = "lineage-store-at"
"""Metadata of a call that reads exactly the revision of a token."""

AT_LEAST_KEY = "lineage-store-at-least"
"""Metadata of a call that reads the revision of a token or a later one."""

_VARINT, _LENGTH_DELIMITED = 0, 2
_MORE = 0x80


def varint(number: int) -> bytes:
    """Return the base-128 encoding of a number that is not negative.

    >>> varint(300).hex()
    'ac02'
    """
    encoded = bytearray()
    while number >= _MORE:
        encoded.append(number & 0x7F | _MORE)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def integer_field(field_number: int, value: int) -> bytes:
    """Return the encoding of an integer field whose value is not negative."""
    return varint(field_number << 3 | _VARINT) + varint(value)


@lru_cache(maxsize=4096)
def message_prefix(field_number: int, size: int) -> bytes:
    """Return the bytes before an encoded message of a size, as an element of a field."""
    return varint(field_number << 3 | _LENGTH_DELIMITED) + varint(size)
