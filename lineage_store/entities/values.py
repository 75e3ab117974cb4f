"""The values that nodes carry, checked on their way into messages."""

from collections.abc import Mapping, MutableMapping
from enum import StrEnum
from numbers import Integral, Real
from typing import Any, TypeVar

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct
from google.protobuf.struct_pb2 import Value as JsonValue

from lineage_store import errors
from lineage_store.v1 import metadata_pb2 as pb

PropertyValue = bool | int | float | str | Mapping[str, Any] | Message
"""The value of one property. A mapping is kept as JSON is: text keys, every number a double."""

E = TypeVar("E", bound=StrEnum)

_PLAIN = {
    str: "string_value",
    int: "int_value",
    float: "double_value",
    bool: "bool_value",
}
_INT64 = range(-(2**63), 2**63)
_EXACT_IN_DOUBLE = 2**53


def member(enum: type[E], value: object, where: str) -> E:
    """Return the member of an enum that has the name `value`.

    Raises:
        InvalidArgument: There is none; the message begins with `where`.
    """
    if isinstance(value, enum):
        return value
    try:
        return enum(value)  # type: ignore[arg-type]  # anything else is an error
    except ValueError:
        names = ", ".join(enum)
        raise errors.InvalidArgument(f"{where} {value!r} is not one of {names}") from None


def text(value: object, where: str) -> str:
    """Return a text as it can be kept.

    Raises:
        InvalidArgument: It is something else, or half a character; the message begins with `where`.
    """
    if not isinstance(value, str):
        raise errors.InvalidArgument(f"{where} must be text, not {type(value).__name__}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise errors.InvalidArgument(f"{where} is not valid Unicode") from None
    return str(value)


def integer(value: object, where: str) -> int:
    """Return an integer as it can be kept.

    Raises:
        InvalidArgument: It is something else, or too large; the message begins with `where`.
    """
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise errors.InvalidArgument(f"{where} must be an integer, not {type(value).__name__}")
    if int(value) not in _INT64:
        raise errors.InvalidArgument(f"{where} does not fit into 64 bits: {value}")
    return int(value)


def set_plain(target: MutableMapping[str, pb.Value], key: object, value: object) -> bool:
    """Set a value of a map of Value messages, if it is a plain one; return whether it was set.

    Most are, and then nothing has to be put together that only an error would need.
    """
    field = _PLAIN.get(type(value))
    if field is None or type(key) is not str:
        return False
    try:
        setattr(target[key], field, value)
    except (TypeError, ValueError):  # `to_value` says what is wrong
        return False
    return True


def to_value(value: object, where: str) -> pb.Value:
    """Return the Value message for a property.

    Raises:
        InvalidArgument: A value of this kind can't be kept; the message begins with `where`.
    """
    if isinstance(value, bool):
        return pb.Value(bool_value=value)
    if isinstance(value, str):
        return pb.Value(string_value=text(value, where))
    if isinstance(value, Integral):
        return pb.Value(int_value=integer(value, where))
    if isinstance(value, Real):
        return pb.Value(double_value=float(value))
    if isinstance(value, Message | Mapping):
        return _composite(value, where)
    raise errors.InvalidArgument(
        f"{where} is a {type(value).__name__}; it must be an int, float, str, bool, dict or message"
    )


def _composite(value: Message | Mapping[str, object], where: str) -> pb.Value:
    if isinstance(value, Struct):
        return pb.Value(struct_value=value)
    if isinstance(value, Message):
        return pb.Value(proto_value=_any(value))
    struct = Struct()
    struct.update(_json(value, where))
    return pb.Value(struct_value=struct)


def _any(message: Message) -> AnyMessage:
    if isinstance(message, AnyMessage):
        return message
    packed = AnyMessage()
    packed.Pack(message)
    return packed


def _json(value: object, where: str) -> Any:  # noqa: ANN401 - as a Struct takes it
    """Return a value as a Struct can hold it."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return text(value, where)
    if isinstance(value, Integral) and abs(int(value)) > _EXACT_IN_DOUBLE:
        raise errors.InvalidArgument(f"{where} is not exact as a double: {value}; keep it as text")
    if isinstance(value, Real):
        return float(value)
    if isinstance(value, Mapping):
        return {
            text(key, f"a key of {where}"): _json(item, f"{where}[{key!r}]")
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_json(item, f"{where}[{at}]") for at, item in enumerate(value)]
    raise errors.InvalidArgument(f"{where} is a {type(value).__name__}, which JSON does not have")


def from_value(value: pb.Value) -> Any:  # noqa: ANN401 - as it was put
    """Return the value of a property: a number, text, bool, dict or google.protobuf.Any."""
    kind = value.WhichOneof("value")
    if kind is None:
        return None  # only a foreign writer can have stored it
    content = getattr(value, kind)
    return _from_struct(content) if kind == "struct_value" else content


def _from_struct(struct: Struct) -> dict[str, object]:
    return {key: _from_json(value) for key, value in struct.fields.items()}


def _from_json(value: JsonValue) -> object:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return _from_struct(value.struct_value)
    if kind == "list_value":
        return [_from_json(item) for item in value.list_value.values]
    return None if kind in {None, "null_value"} else getattr(value, kind)


def optional(message: Message, name: str) -> Any:  # noqa: ANN401 - the type of the field
    """Return a field of a message, or None if it is not set."""
    return getattr(message, name) if message.HasField(name) else None
