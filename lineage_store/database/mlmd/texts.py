"""Texts as ML Metadata keeps them.

It hands bytes to its database and takes bytes back. SQLite and PostgreSQL keep them as they are. On
MySQL its connection says latin1, so the server takes the bytes of UTF-8 for characters of latin1,
and in tables of another character set it stores those characters.
"""

import codecs

# Where the latin1 of MySQL, which is Windows-1252 and a little more, is not ISO 8859-1.
_TO_BYTE = {
    ord(bytes([byte]).decode("cp1252")): byte
    for byte in range(0x80, 0xA0)
    if byte not in {0x81, 0x8D, 0x8F, 0x90, 0x9D}
}


def read_text(cell: "str | bytes") -> tuple[str, bool]:
    r"""Return the text of a cell, and whether it is intact.

    Where it is not UTF-8, each byte that does not fit is written as \xNN.
    """
    if isinstance(cell, str):
        return _through_latin1(cell), True
    try:
        return codecs.decode(cell, "utf-8"), True
    except UnicodeDecodeError:
        return cell.decode("utf-8", "backslashreplace"), False


def _through_latin1(characters: str) -> str:
    """Return the text whose bytes a connection in latin1 wrote as these characters.

    A text that can't have come that way was written by another client, and is kept as it is.
    """
    if characters.isascii():
        return characters
    try:
        return characters.translate(_TO_BYTE).encode("latin1").decode("utf-8")
    except UnicodeError:
        return characters
