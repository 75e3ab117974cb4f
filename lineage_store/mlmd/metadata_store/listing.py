"""The order, the filter and the limit of a listing."""

import enum
from dataclasses import dataclass

from lineage_store.mlmd import errors
from lineage_store.v1.metadata_pb2 import ListOperationOptions

MAX_NUM_RESULT = 100
"""Nodes that one call lists at most; longer listings take several."""


@enum.unique
class OrderByField(enum.Enum):
    """The field that orders a listing; ties are broken by id."""

    CREATE_TIME = ListOperationOptions.OrderByField.CREATE_TIME
    UPDATE_TIME = ListOperationOptions.OrderByField.LAST_UPDATE_TIME
    ID = ListOperationOptions.OrderByField.ID


@dataclass
class ListOptions:
    """The options of a listing.

    Attributes:
        limit: The number of nodes to return at most; None or 0: all.
        order_by: The field that orders them; None: the id.
        is_asc: Whether the smallest comes first.
        filter_query: Only nodes for which this expression holds; None: all.
    """

    limit: int | None = None
    order_by: OrderByField | None = None
    is_asc: bool = True
    filter_query: str | None = None


def request_options(options: ListOptions) -> ListOperationOptions:
    """Return the options of the first request of a listing.

    Raises:
        InvalidArgumentError: The limit is negative.
    """
    if options.limit is not None and options.limit < 0:
        raise errors.InvalidArgumentError(f"the limit must not be negative: {options.limit}")
    request = ListOperationOptions(max_result_size=MAX_NUM_RESULT)
    request.order_by_field.is_asc = options.is_asc
    if options.order_by:
        request.order_by_field.field = options.order_by.value
    if options.filter_query:
        request.filter_query = options.filter_query
    return request
