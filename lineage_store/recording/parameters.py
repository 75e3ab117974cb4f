"""Parameters of a step as components of its key."""

from collections.abc import Mapping
from typing import Any

from lineage_store import errors
from lineage_store.cache.canonical import encode
from lineage_store.fingerprints.code import value_digest
from lineage_store.fingerprints.code.guards import WatchedFile
from lineage_store.recording.secrets import is_secret_type, masked, secret_digest

Files = list[WatchedFile]


def components(
    values: Mapping[str, object], noun: str, *, secret: frozenset[str], files: Files
) -> dict[str, object]:
    """Return values as components of a key.

    Args:
        values: By name.
        noun: Their name in errors, such as "parameter".
        secret: The names of those that nobody may read.
        files: Takes the files whose content counts.

    Raises:
        InvalidArgument: A value can't be told from other values.
        OSError: A file can't be read.
    """
    return {
        name: _component(value, f"{noun} {name}", is_secret=name in secret, files=files)
        for name, value in values.items()
    }


def _component(value: object, label: str, *, is_secret: bool, files: Files) -> object:
    if is_secret or is_secret_type(value):
        return {"secret": secret_digest(value_digest(value, label, files))}
    if not _is_canonical(value):
        return {"fingerprint": value_digest(value, label, files)}
    shown = masked(value)
    if shown is value or shown == value:
        return value
    return {"masked": shown, "secret": secret_digest(value_digest(value, label, files))}


def _is_canonical(value: object) -> bool:
    """Return whether the canonical text of a value tells all that a step can see of it."""
    if not _is_plain(value):
        return False
    try:
        encode(value)
    except errors.InvalidArgument:
        return False
    return True


def _is_plain(value: Any, depth: int = 0) -> bool:  # noqa: ANN401 - looked at by its type alone
    """Return whether a value is of JSON, with mappings whose names are in order."""
    kind = type(value)
    if kind is list:
        return depth < _DEPTH and all(_is_plain(item, depth + 1) for item in value)
    if kind is dict:
        names = list(value)
        are_texts = all(type(name) is str for name in names)
        if depth >= _DEPTH or not are_texts or names != sorted(names):
            return False
        return all(_is_plain(item, depth + 1) for item in value.values())
    return value is None or kind in _SCALARS


_DEPTH = 60
_SCALARS = frozenset({bool, int, float, str, bytes})
