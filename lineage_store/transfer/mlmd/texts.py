"""Texts that must fit: one that is not UTF-8 or too long is rewritten and reported."""

import hashlib
from collections.abc import Callable

from lineage_store.database.mlmd.texts import read_text
from lineage_store.limits import MAX_NAME
from lineage_store.transfer.mlmd.findings import Findings

_DIGITS = 16


def any_text(cell: str | bytes, where: str, findings: Findings) -> str:
    """Return the text of a cell, of any length."""
    text, is_intact = read_text(cell)
    if not is_intact:
        findings.add(where, "is not UTF-8", r"its strange bytes are kept as \xNN")
    return text


def key_text(cell: str | bytes, where: str, findings: Findings) -> str:
    """Return a text that names something: one that had to be changed stays unlike all others."""
    text, is_intact = read_text(cell)
    if not is_intact:
        changed = shortened(text, MAX_NAME)
        findings.add(where, "is not UTF-8", f"it is now {changed!r}")
        return changed
    if len(text) > MAX_NAME:
        changed = shortened(text, MAX_NAME)
        message = f"has {len(text)} characters, and a store takes {MAX_NAME}"
        findings.add(where, message, f"it is cut and ends in {changed[-_DIGITS - 1 :]!r}")
        return changed
    return text


def shortened(text: str, most: int, measure: Callable[[str], int] = len) -> str:
    """Return the beginning of a text and a digest of the whole, at most `most` long."""
    digest = hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]
    head = text.partition("\0")[0][:most]
    while measure(head) > most - _DIGITS - 1:
        head = head[:-1]
    return f"{head}~{digest}"
