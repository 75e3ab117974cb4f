"""The canonical text of values: one text for each value, one value for each text.

The grammar is that of JSON with three additions: integers and floats differ in how they are
written, NaN and the infinities have names, and bytes are `b"…"` in hexadecimal. docs/cache-keys.md
is the specification, with test vectors.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence

from lineage_store import errors

MAX_DEPTH = 64
"""Lists and mappings within each other."""

MAX_CHARACTERS = 1024 * 1024
"""Characters in the text of one value; give the digest of a larger one."""

_SPECIAL = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_WORDS = {"null": None, "true": True, "false": False} | _SPECIAL
_SCALAR = re.compile(
    r'(?P<text>"(?:[^"\\\x00-\x1f]|\\.)*")'
    r'|b"(?P<bytes>(?:[0-9a-f]{2})*)"'
    r"|(?P<word>null|true|false|NaN|-?Infinity)"
    r"|(?P<float>-?[0-9]+(?:\.[0-9]+(?:e[+-][0-9]+)?|e[+-][0-9]+))"
    r"|(?P<int>-?[0-9]+)"
)


def encode(
    value: object, where: str = "value", *, max_characters: int | None = MAX_CHARACTERS
) -> str:
    """Return the canonical text of a value.

    Args:
        value: None, a bool, int, float, str, bytes, or a list, tuple or mapping with text keys of
            such values. Subclasses count as the types they extend, and a tuple as a list.
        where: The name of the value in error messages.
        max_characters: How long the text may be; None: as long as it gets.

    Raises:
        InvalidArgument: There is no text for it: it holds another type, half a Unicode character,
            is nested deeper than MAX_DEPTH or longer than it may be.
    """
    parts: list[str] = []
    _write(value, where, 0, parts)
    text = "".join(parts)
    if max_characters is not None and len(text) > max_characters:
        raise errors.InvalidArgument(
            f"{where} has {len(text)} characters, more than {max_characters}; give its digest"
        )
    return text


def _write(value: object, where: str, depth: int, parts: list[str]) -> None:
    if depth > MAX_DEPTH:
        raise errors.InvalidArgument(f"{where} is nested more than {MAX_DEPTH} deep")
    if isinstance(value, Mapping):
        _write_mapping(value, where, depth, parts)
    elif isinstance(value, list | tuple):
        _write_list(value, where, depth, parts)
    else:
        parts.append(_scalar(value, where))


def _write_list(value: Sequence[object], where: str, depth: int, parts: list[str]) -> None:
    parts.append("[")
    for at, item in enumerate(value):
        parts.append("," if at else "")
        _write(item, where, depth + 1, parts)
    parts.append("]")


def _write_mapping(
    value: Mapping[object, object], where: str, depth: int, parts: list[str]
) -> None:
    keys: list[str] = []
    for key in value:
        if not isinstance(key, str):
            raise errors.InvalidArgument(
                f"{where} has the key {key!r}; the keys of a mapping must be text"
            )
        keys.append(key)
    parts.append("{")
    for at, key in enumerate(sorted(keys)):
        parts.append(f"{',' if at else ''}{_text(key, where)}:")
        _write(value[key], where, depth + 1, parts)
    parts.append("}")


def _scalar(value: object, where: str) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return _integer(int(value), where)
    if isinstance(value, float):
        return _float(float(value))
    if isinstance(value, str):
        return _text(str.__str__(value), where)
    if isinstance(value, bytes | bytearray):
        return f'b"{bytes(value).hex()}"'
    raise errors.InvalidArgument(
        f"{where} holds a {type(value).__qualname__}; a key is made of None, bool, int, float, "
        f"str, bytes, lists and mappings with text keys"
    )


def _integer(value: int, where: str) -> str:
    try:
        return str(value)
    except ValueError:  # Python refuses to write integers of thousands of digits
        raise errors.InvalidArgument(f"{where} holds an integer that is too long") from None


def _float(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return float.__repr__(value)


def _text(value: str, where: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise errors.InvalidArgument(f"{where} holds text that is not valid Unicode") from None
    return json.dumps(value, ensure_ascii=False)


def decode(text: str) -> object:
    """Return the value of a canonical text; `decode(encode(x)) == x`, a tuple being a list.

    Raises:
        InvalidArgument: It is not the canonical text of a value.
    """
    reader = _Reader(text)
    value = reader.value(0)
    if reader.at != len(text) or encode(value, max_characters=None) != text:
        raise errors.InvalidArgument("the text is not canonical")
    return value


class _Reader:
    """Reads one value after the other from a text."""

    def __init__(self, text: str) -> None:
        self._source = text
        self.at = 0

    def value(self, depth: int) -> object:
        """Return the value that begins here, and stop behind it."""
        if depth > MAX_DEPTH:
            raise errors.InvalidArgument(f"the text is nested more than {MAX_DEPTH} deep")
        if self._takes("["):
            return self._list(depth)
        if self._takes("{"):
            return self._mapping(depth)
        match = _SCALAR.match(self._source, self.at)
        if match is None:
            raise errors.InvalidArgument(f"no value begins at character {self.at} of the text")
        self.at = match.end()
        return _scalar_value(str(match.lastgroup), match.group(str(match.lastgroup)))

    def _takes(self, sign: str) -> bool:
        there = self._source.startswith(sign, self.at)
        self.at += len(sign) if there else 0
        return there

    def _demand(self, sign: str) -> None:
        if not self._takes(sign):
            raise errors.InvalidArgument(f"{sign!r} is missing at character {self.at} of the text")

    def _list(self, depth: int) -> list[object]:
        items: list[object] = []
        while not self._takes("]"):
            if items:
                self._demand(",")
            items.append(self.value(depth + 1))
        return items

    def _mapping(self, depth: int) -> dict[str, object]:
        items: dict[str, object] = {}
        while not self._takes("}"):
            if items:
                self._demand(",")
            key = self.value(depth + 1)
            if not isinstance(key, str):
                raise errors.InvalidArgument("a key in the text is not text")
            self._demand(":")
            items[key] = self.value(depth + 1)
        return items


def _scalar_value(kind: str, text: str) -> object:
    try:
        if kind == "text":
            return json.loads(text)
        if kind == "bytes":
            return bytes.fromhex(text)
        if kind == "float":
            return float(text)
        return _WORDS[text] if kind == "word" else int(text)
    except ValueError:
        raise errors.InvalidArgument("the text holds a value that can't be read") from None
