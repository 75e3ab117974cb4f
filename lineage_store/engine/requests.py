"""Checks of what a request carries; each names the field that is wrong."""

from typing import Any

from lineage_store import errors
from lineage_store.limits import MAX_NAME


def bounded(field: str, text: str) -> str:
    """Return a name, external id or property name that the store can index.

    Raises:
        InvalidArgument: It is too long.
    """
    if len(text) > MAX_NAME:
        raise errors.InvalidArgument(
            f"{field} has {len(text)} characters; at most {MAX_NAME} are allowed"
        )
    return text


def required(message: Any, field: str, where: str) -> Any:
    """Return a field of a message.

    Raises:
        InvalidArgument: It is not set.
    """
    if not message.HasField(field):
        raise errors.InvalidArgument(f"{where}{field} must be set")
    return getattr(message, field)


def non_empty_all(field: str, texts: Any) -> list[str]:
    """Return a list of texts.

    Raises:
        InvalidArgument: One of them is empty.
    """
    if "" in texts:
        raise errors.InvalidArgument(f"{field} must not contain an empty string")
    return list(texts)
