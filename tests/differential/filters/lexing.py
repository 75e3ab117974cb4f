"""Reads a filter just well enough to tell its constructs apart."""

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"(?P<comment>--[^\n]*|\#[^\n]*|/\*.*?\*/)"
    r"|(?P<string>\b[rR]?(?:\"\"\"(?:\\.|[^\\])*?\"\"\"|'''(?:\\.|[^\\])*?'''"
    r"|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*')|(?:\"\"\"(?:\\.|[^\\])*?\"\"\"|'''(?:\\.|[^\\])*?'''"
    r"|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'))"
    r"|(?P<other>`[^`]*`|.)",
    re.DOTALL,
)
_ESCAPE = re.compile(r"\\([xX]..|u....|U........|[0-7]{3}|.)", re.DOTALL)
_NAMED = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_PROPERTY = re.compile(r"\b(?:custom_)?properties\.(?:`([^`]*)`|(\w+))\.\w+")


@dataclass(frozen=True)
class Lexed:
    """A filter, taken apart.

    Attributes:
        code: The text without comments, and with every string literal as "".
        strings: The values of the string literals.
        properties: The names of properties that it mentions.
    """

    code: str
    strings: tuple[str, ...]
    properties: tuple[str, ...]


def lex(text: str) -> Lexed:
    """Take a filter apart, also one that is malformed."""
    code, strings = "", []
    for token in _TOKEN.finditer(text):
        if token["string"] is not None:
            strings.append(_value(token["string"]))
            code += '""'
        else:
            code += token["other"] or " "
    names = tuple(quoted or bare for quoted, bare in _PROPERTY.findall(code))
    return Lexed(code, tuple(strings), names)


def _value(literal: str) -> str:
    raw = literal[0] in "rR"
    body = literal[1:] if raw else literal
    width = 3 if len(body) >= 6 and body[:3] in ('"""', "'''") else 1
    body = body[width:-width]
    return body if raw else _ESCAPE.sub(_unescaped, body)


def _unescaped(match: re.Match[str]) -> str:
    escape = match[1]
    if escape[0] in "xXuU" and len(escape) > 1:
        try:
            return chr(int(escape[1:], 16))
        except (ValueError, OverflowError):
            return "\\"
    if escape[0].isdigit() and len(escape) > 1:
        return chr(int(escape, 8))
    return _NAMED.get(escape, escape)
