"""Literals: strings with their escapes, and whole numbers."""

import re

MAX_INT64 = 2**63 - 1
MAX_UINT64 = 2**64 - 1

_SIMPLE = {
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    **{character: character for character in "\\?\"'`"},
}
_ESCAPE = re.compile(
    r"\\(?:([0-3][0-7]{2})|[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.?))",
    re.DOTALL,
)

_NUMBER = r"-?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+)(?:[eE][+-]?[0-9]+)?"
_PLAIN = r"""'[^'\\\n]*+'(?!')|"[^"\\\n]*+"(?!")"""
_ITEM = f"(?:{_NUMBER}|{_PLAIN})"

LITERALS = rf"\(\s*+{_ITEM}(?:\s*+,\s*+{_ITEM})*+\s*+\)"
"""The pattern of a list of nothing but numbers and strings without escapes: it may have 100,000
items, so the grammar has it as one token."""

ITEM = re.compile(_ITEM)
"""One of its items."""


def unquoted(token: str) -> str:
    """Return the text that a string literal stands for.

    Raises:
        ValueError: It holds an escape that is not known.
    """
    is_raw = token[0] in "rR"
    quoted = token[1:] if is_raw else token
    width = 3 if len(quoted) > 5 and quoted[:3] in {'"""', "'''"} else 1  # noqa: PLR2004
    inner = quoted[width:-width]
    return inner if is_raw else _ESCAPE.sub(_unescaped, inner)


def _unescaped(match: re.Match[str]) -> str:
    octal, *hexadecimal, simple = match.groups()
    if octal:
        return chr(int(octal, 8))
    digits = next(filter(None, hexadecimal), None)
    if digits:
        return _character(int(digits, 16), match.group())
    if simple not in _SIMPLE:
        raise ValueError(f"the escape {match.group()} is not known; write \\\\ for a backslash")
    return _SIMPLE[simple]


def _character(code: int, escape: str) -> str:
    if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:  # noqa: PLR2004 - the surrogates of UTF-16
        raise ValueError(f"the escape {escape} is not a character")
    return chr(code)


def quoted(text: str) -> str:
    """Return a string literal for a text."""
    inner = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{inner}"'
