"""Requests from their encoded bytes, refused unless every string in them is valid UTF-8.

The messages are of proto2, whose parser takes a string that is not UTF-8 and hands it over as
bytes, or raises when a map is read. So a request is first parsed with a stricter schema: the same
messages as of an edition, whose parser checks every string, at any depth, as fast as it parses.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache

from google.protobuf import any_pb2, field_mask_pb2, struct_pb2
from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor_pb2 import (
    EDITION_2023,
    DescriptorProto,
    FeatureSet,
    FileDescriptorProto,
)
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from lineage_store import errors
from lineage_store.v1 import (
    audit_pb2,
    cache_pb2,
    history_pb2,
    lineage_pb2,
    metadata_pb2,
    metadata_service_pb2,
)

_IMPORTED = (any_pb2, field_mask_pb2, struct_pb2)
_OURS = (metadata_pb2, metadata_service_pb2, lineage_pb2, cache_pb2, history_pb2, audit_pb2)

_JUDGED_ALONE = {("RecordStepsRequest", "steps")}
"""Fields whose messages fail one by one, not the request: the engine checks their strings."""


def decoder_of(descriptor: Descriptor) -> Callable[[bytes], Message]:
    """Return the function that decodes the messages of a descriptor.

    It raises InvalidArgument for bytes that are no such message, and names the string that is not
    valid UTF-8.
    """
    parse = GetMessageClass(descriptor).FromString
    strict = GetMessageClass(_strict_pool().FindMessageTypeByName(descriptor.full_name)).FromString

    def decode(encoded: bytes) -> Message:
        try:
            strict(encoded)
            return parse(encoded)
        except (DecodeError, UnicodeDecodeError):
            raise _fault(parse, encoded, descriptor.name) from None

    return decode


@cache
def _strict_pool() -> DescriptorPool:
    """Return the descriptors of all requests, with strings that are checked."""
    pool = DescriptorPool()
    for module in _IMPORTED:
        pool.AddSerializedFile(module.DESCRIPTOR.serialized_pb)
    for module in _OURS:
        file_proto = FileDescriptorProto.FromString(module.DESCRIPTOR.serialized_pb)
        file_proto.syntax, file_proto.edition = "editions", EDITION_2023
        features = file_proto.options.features
        features.utf8_validation = FeatureSet.VERIFY
        features.enum_type = FeatureSet.CLOSED
        for message in file_proto.message_type:
            _without_packed(message)
            _without_judged_alone(message)
        pool.AddSerializedFile(file_proto.SerializeToString())
    return pool


def _without_packed(message: DescriptorProto) -> None:
    """Remove an option that editions don't have; a parser takes both forms of a list anyway."""
    for field in message.field:
        field.options.ClearField("packed")
    for nested in message.nested_type:
        _without_packed(nested)


def _without_judged_alone(message: DescriptorProto) -> None:
    """Make bytes, which are the same on the wire, of messages that are judged alone."""
    for field in message.field:
        if (message.name, field.name) in _JUDGED_ALONE:
            field.ClearField("type_name")
            field.type = field.TYPE_BYTES


def _fault(parse: Callable[[bytes], Message], encoded: bytes, name: str) -> errors.InvalidArgument:
    try:
        path = next(_bad_strings(parse(encoded), ""), None)
    except UnicodeDecodeError:
        path = "a key in the request"
    except DecodeError:
        path = None
    if path is None:
        return errors.InvalidArgument(f"the bytes of the request are not a valid {name}")
    return errors.InvalidArgument(f"{path} is not valid UTF-8")


def _bad_strings(message: Message, prefix: str) -> Iterator[str]:
    """Yield the paths of the strings of a message that are not valid UTF-8."""
    for field, value in message.ListFields():
        if field.type in {field.TYPE_STRING, field.TYPE_MESSAGE}:
            yield from _bad_within(value, f"{prefix}{field.name}")


def _bad_within(value: object, path: str) -> Iterator[str]:
    if isinstance(value, bytes):
        yield path
    elif isinstance(value, Message):
        yield from _bad_strings(value, f"{path}.")
    elif isinstance(value, Mapping):
        yield from _bad_entries(value, path)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for at, item in enumerate(value):
            yield from _bad_within(item, f"{path}[{at}]")


def _bad_entries(entries: Mapping[str | bytes, object], path: str) -> Iterator[str]:
    """Yield those of a map; its keys are bytes, or raise, if they are not UTF-8."""
    try:
        items = list(entries.items())
    except UnicodeDecodeError:
        yield f"a key of {path}"
        return
    for key, value in items:
        if isinstance(key, bytes):
            yield f"a key of {path}"
        else:
            yield from _bad_within(value, f"{path}[{key!r}]")
