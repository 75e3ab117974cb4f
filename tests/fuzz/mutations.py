"""Mutations of a request: of its fields, as protobuf sees them, and of its bytes."""

import base64
import random
import struct
from collections.abc import Callable, Iterator
from typing import Any

from google.protobuf.message import Message

INTEGERS = (0, 1, -1, 2, 100, 101, 2**31 - 1, -(2**31), 2**53, 2**53 + 1, 2**63 - 1, -(2**63))
DOUBLES = (
    0.0,
    -0.0,
    5e-324,
    1e308,
    -1.7976931348623157e308,
    float("nan"),
    float("inf"),
    -float("inf"),
)
TEXTS = (
    "",
    " ",
    "\0",
    "a\0b",
    "%",
    "_",
    "'",
    '"',
    "\\",
    "--",
    "é",
    "\U0001f600",
    "\ufffe",
    "\u202e",
    "null",
    "n" * 512,
    "n" * 513,
    "x" * 5_000,
    "9" * 400,
    "1e999",
    "a.b.c",
    "`",
    "IN",
    "\r\n",
    "../..",
    "${x}",
)
FILTERS = (
    "(" * 300,
    "NOT " * 150 + "TRUE",
    "id = " + "9" * 40,
    "id IN (" + "1," * 3000 + "1)",
    "1e308 * 10 > id",
    "id / 0 = 1",
    "CAST(name AS INT64) = 1",
    "name LIKE '%\\\\'",
    "properties.`a``b`.int_value = 1",
    "id + 9223372036854775807 > 0",
    "SUBSTR(name, -9223372036854775807) = ''",
    "name = '\\uD800'",
    "create_time_since_epoch > TIMESTAMP('99999-01-01T00:00:00Z')",
    "name = '\0'",
    "id % 2 = 0",
    "a.b = 1",
    "contexts_a.contexts_b.id = 1",
    "events_0.type = NOPE",
    "-" * 400 + "1 = id",
    "id = -9223372036854775808",
)
LONG = 200_000
"""Characters of what is oversize: large enough to be refused or to be slow, if anything is."""


def mutated(request: Message, chance: random.Random) -> bytes:
    """Return the bytes of a request, changed in one to four ways."""
    changed = type(request)()
    changed.CopyFrom(request)
    of_fields = chance.random() < 0.7
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        if of_fields:
            mutate_field(changed, chance)
    encoded = changed.SerializeToString()
    if of_fields and chance.random() < 0.85:
        return encoded
    for _ in range(chance.choice((1, 1, 2, 8))):
        encoded = chance.choice(_OF_BYTES)(encoded, chance)
    return encoded


# -- fields ---------------------------------------------------------------------------------


def mutate_field(message: Message, chance: random.Random) -> None:
    """Change one field of a message, or of one within it."""
    owners = list(_messages(message, 0))
    owner = chance.choice(owners)
    fields = owner.DESCRIPTOR.fields
    if not fields:
        return
    field = chance.choice(fields)
    try:
        _mutate(owner, field, chance)
    except (ValueError, TypeError, OverflowError, KeyError):
        owner.ClearField(field.name)


def _messages(message: Message, depth: int) -> Iterator[Message]:
    yield message
    for field, value in message.ListFields():
        if field.type != field.TYPE_MESSAGE or depth > 20:
            continue
        within = [value] if isinstance(value, Message) else value
        for one in list(within.values() if hasattr(within, "values") else within)[:20]:
            if isinstance(one, Message):
                yield from _messages(one, depth + 1)


def _mutate(owner: Message, field: Any, chance: random.Random) -> None:
    value = getattr(owner, field.name)
    if chance.random() < 0.1:
        owner.ClearField(field.name)
    elif isinstance(value, Message):
        value.SetInParent()
        _deepen(value, chance)
    elif isinstance(value, (str, bytes, int, float)):
        setattr(owner, field.name, _extreme(field, value, chance))
    elif hasattr(value, "keys"):
        _mutate_map(field, value, chance)
    else:
        _mutate_list(field, value, chance)


def _mutate_map(field: Any, value: Any, chance: random.Random) -> None:
    name = chance.choice(TEXTS) or "k"
    of = field.message_type.fields_by_name["value"]
    if of.type == of.TYPE_MESSAGE:
        value[name].SetInParent()
        mutate_field(value[name], chance)
    else:
        value[name] = _extreme(of, value.get(name, 0), chance)


def _mutate_list(field: Any, value: Any, chance: random.Random) -> None:
    times = chance.choice((1, 1, 2, 120))
    if field.type == field.TYPE_MESSAGE:
        items = list(value)
        for _ in range(times):
            added = value.add()
            if items and chance.random() < 0.7:
                added.CopyFrom(chance.choice(items))
        mutate_field(value[-1], chance)
        return
    before = value[0] if len(value) else ("" if field.type == field.TYPE_STRING else 0)
    value.extend([_extreme(field, before, chance)] * times)


def _extreme(field: Any, before: Any, chance: random.Random) -> Any:
    if field.type == field.TYPE_STRING:
        return _extreme_text(field.name, before, chance)
    if field.type == field.TYPE_BYTES:
        if "token" in field.name:
            text = _forged(base64.urlsafe_b64encode(before or b"").decode(), chance)
            return text.encode()
        return chance.choice(
            (b"", b"\0" * 32, b"\xff" * 32, b"x" * 31, b"x" * 5000, bytes(before or b""))
        )
    if field.type == field.TYPE_ENUM:
        return chance.choice([value.number for value in field.enum_type.values])
    if field.type in {field.TYPE_DOUBLE, field.TYPE_FLOAT}:
        return chance.choice(DOUBLES)
    return chance.choice((*INTEGERS, int(before or 0) + 1))


def _extreme_text(name: str, before: str, chance: random.Random) -> str:
    if name == "filter_query":
        return chance.choice((*FILTERS, *TEXTS[:12], _spliced(before, chance)))
    if "token" in name:
        return _forged(before, chance)
    if chance.random() < 0.02:
        return "x" * LONG
    return chance.choice((*TEXTS, f"{before}{chance.choice(TEXTS)}"))


def _spliced(text: str, chance: random.Random) -> str:
    at = chance.randrange(len(text) + 1)
    return (
        text[:at]
        + chance.choice(("(", ")", "'", " OR ", " AND NOT ", "=", ",", ".", "`", "0x", "é"))
        + text[at:]
    )


def _forged(token: str, chance: random.Random) -> str:
    """Return a token whose contents are changed, or another."""
    choices = ["", "AAAA", "e30", "!!", "A" * 9000, token[: len(token) // 2], token + "A"]
    try:
        raw = bytearray(base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_"))
    except ValueError:
        raw = bytearray(b"\x08\x01")
    if raw:
        raw[chance.randrange(len(raw))] = chance.randrange(256)
        choices += [base64.urlsafe_b64encode(bytes(raw)).decode().rstrip("=")] * 6
    return chance.choice(choices)


def _deepen(message: Message, chance: random.Random) -> None:
    """Nest a message that may hold its own kind, or change it."""
    name = message.DESCRIPTOR.full_name
    depth = chance.choice((1, 10, 90, 150))
    if name == "google.protobuf.Struct":
        inner: Any = message
        for _ in range(min(depth, 90)):
            inner = inner.fields["a"].struct_value
        inner.fields["b"].number_value = chance.choice(DOUBLES)
    elif name.endswith(".ArtifactStructType"):
        inner = message
        for _ in range(min(depth, 90)):
            inner = inner.list.element
        inner.SetInParent()
    else:
        mutate_field(message, chance)


# -- bytes ----------------------------------------------------------------------------------


def _flip(encoded: bytes, chance: random.Random) -> bytes:
    if not encoded:
        return b"\x0a"
    changed = bytearray(encoded)
    changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _put(encoded: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(encoded) + 1)
    added = chance.choice(
        (
            chance.randbytes(chance.randrange(1, 9)),
            b"\xff" * 10,
            b"\x80" * 9 + b"\x01",
            b"\xc3\x28",
            b"\xed\xa0\x80",
            struct.pack("<d", chance.choice(DOUBLES)),
            b"\x0a\xff\xff\xff\x7f",
            b"\x0b" * 200,
            b"\x0a\x00" * 50,
        )
    )
    return encoded[:at] + added + encoded[at:]


def _replace(encoded: bytes, chance: random.Random) -> bytes:
    at, size = chance.randrange(len(encoded) + 1), chance.randrange(1, 5)
    return (
        encoded[:at]
        + chance.choice((b"\xff", b"\xc0", b"\x00", b"\x80")) * size
        + encoded[at + size :]
    )


def _cut(encoded: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(encoded) + 1)
    return encoded[:at] + encoded[at + chance.randrange(1, 20) :]


def _end(encoded: bytes, chance: random.Random) -> bytes:
    return encoded[: chance.randrange(len(encoded) + 1)]


def _again(encoded: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(encoded) + 1)
    part = encoded[at : at + chance.randrange(1, 60)]
    return encoded[:at] + part * chance.choice((1, 2, 30)) + encoded[at:]


def _nest(encoded: bytes, chance: random.Random) -> bytes:
    """Wrap bytes into one field after another."""
    tag = bytes([chance.randrange(1, 8) << 3 | 2])
    for _ in range(chance.choice((1, 5, 120))):
        encoded = tag + _varint(len(encoded)) + encoded
    return encoded


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 127:
        encoded.append(value & 127 | 128)
        value >>= 7
    return bytes([*encoded, value])


_OF_BYTES: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _flip,
    _flip,
    _put,
    _replace,
    _replace,
    _cut,
    _end,
    _again,
    _nest,
)
