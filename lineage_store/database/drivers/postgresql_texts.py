"""Texts as PostgreSQL holds them: it has no NUL, so NUL is written as two other characters."""

from lineage_store.database.tables import ESCAPE, NUL, SHORT_STRING


def escaped(text: str) -> str:
    """Return a text without NUL; `unescaped` gives it back."""
    if NUL in text or ESCAPE in text:
        return text.replace(ESCAPE, f"{ESCAPE}1").replace(NUL, f"{ESCAPE}0")
    return text


def unescaped(text: str) -> str:
    """Return the argument of `escaped` from its result."""
    if ESCAPE in text:
        return text.replace(f"{ESCAPE}0", NUL).replace(f"{ESCAPE}1", ESCAPE)
    return text


def indexed(text: str) -> str:
    """Return a text as it is read back from the column for beginnings."""
    return unescaped(escaped(text)[:SHORT_STRING])
