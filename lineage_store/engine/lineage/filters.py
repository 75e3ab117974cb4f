"""Filters of a request, compiled."""

from lineage_store import errors
from lineage_store.database.queries.conditions import Condition
from lineage_store.filtering import compile_filter
from lineage_store.kinds import NodeKind
from lineage_store.limits import FilterLimits


def condition(kind: NodeKind, text: str, field: str, limits: FilterLimits) -> Condition:
    """Return the condition that a filter compiles to.

    Args:
        kind: The kind of nodes that it filters.
        text: The filter.
        field: Where it is in the request, for errors.
        limits: The bounds of filters.

    Raises:
        InvalidArgument: It is not a filter.
    """
    try:
        return compile_filter(kind, text, limits)
    except errors.InvalidArgument as error:
        raise errors.InvalidArgument(f"{field}: {error.message}") from None
