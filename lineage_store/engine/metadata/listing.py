"""Listings: their options checked, their page tokens read and written."""

import base64
import binascii
from collections.abc import Callable
from typing import Any

from google.protobuf.message import DecodeError, Message

from lineage_store import errors
from lineage_store.database.queries.conditions import Condition
from lineage_store.database.queries.listing import PageKey, PageQuery
from lineage_store.database.queries.snapshot import Snapshot
from lineage_store.engine.requests import text
from lineage_store.engine.responses import repeated
from lineage_store.filtering import compile_filter
from lineage_store.kinds import NodeKind
from lineage_store.limits import MAX_PAGE, FilterLimits
from lineage_store.v1 import metadata_pb2 as pb

Reader = Callable[[Snapshot, Any], Any]

_Field = pb.ListOperationOptions.OrderByField
_ORDERS = {
    _Field.ID: "id",
    _Field.CREATE_TIME: "create_time",
    _Field.LAST_UPDATE_TIME: "update_time",
}


def get_all(kind: NodeKind) -> Reader:
    """Return the handler of GetArtifacts, GetExecutions or GetContexts."""

    def handler(snapshot: Snapshot, request: Message) -> bytes:
        return _list(snapshot, request, b"", kind=kind)

    return handler


def get_by_type(kind: NodeKind) -> Reader:
    """Return the handler of Get*ByType."""

    def handler(snapshot: Snapshot, request: Any) -> bytes:
        stored_type = snapshot.types.find(kind, request.type_name, request.type_version)
        if stored_type is None:
            return b""
        # The last page of this listing carries a token that is set, and empty.
        type_id = stored_type.message.id
        return _list(snapshot, request, repeated(2, [b""]), kind=kind, type_id=type_id)

    return handler


def get_by_context(kind: NodeKind) -> Reader:
    """Return the handler of GetArtifactsByContext or GetExecutionsByContext."""

    def handler(snapshot: Snapshot, request: Any) -> bytes:
        return _list(snapshot, request, b"", kind=kind, context_id=request.context_id)

    return handler


def _list(snapshot: Snapshot, request: Any, on_last_page: bytes, **scope: Any) -> bytes:
    """Return the encoded response: the nodes in field 1, the page token in field 2."""
    if not request.HasField("options"):
        return repeated(1, snapshot.all(PageQuery(**scope)))
    try:
        query = page_query(request.options, snapshot.filter_limits, **scope)
    except errors.InvalidArgument:
        if len(scope) > 1 and _is_empty(snapshot, scope):
            return b""  # ML Metadata does not look at the options of a listing of nothing
        raise
    page = snapshot.page(query)  # if the database refuses it, the snapshot has ended
    if page.last is None:
        return repeated(1, page.bodies) + (on_last_page if page.bodies else b"")
    return repeated(1, page.bodies) + repeated(2, [write_token(request.options, page.last)])


def _is_empty(snapshot: Snapshot, scope: dict[str, Any]) -> bool:
    return not snapshot.page(PageQuery(**scope, limit=1)).bodies


def page_query(options: pb.ListOperationOptions, limits: FilterLimits, **scope: Any) -> PageQuery:
    """Return the query for a page of a listing.

    Args:
        options: ListOperationOptions.
        limits: What its filter may ask for.
        scope: The scope of the listing, as fields of PageQuery.

    Raises:
        InvalidArgument: The size, the order, the token or the filter is not valid.
    """
    if options.max_result_size <= 0:
        raise errors.InvalidArgument("options.max_result_size must be at least 1")
    order_by = _ORDERS.get(options.order_by_field.field)
    if order_by is None:
        raise errors.InvalidArgument("options.order_by_field.field must be specified")
    return PageQuery(
        **scope,
        condition=_condition(scope["kind"], options, limits),
        order_by=order_by,
        ascending=options.order_by_field.is_asc,
        after=read_token(options) if options.next_page_token else None,
        limit=min(options.max_result_size, MAX_PAGE),
    )


def _condition(
    kind: NodeKind, options: pb.ListOperationOptions, limits: FilterLimits
) -> Condition | None:
    if not options.filter_query:
        return None
    return compile_filter(kind, text("options.filter_query", options.filter_query), limits)


def write_token(options: pb.ListOperationOptions, last: PageKey) -> bytes:
    """Return the token of the page behind the row with key `last`."""
    value, node_id = last
    token = pb.ListOperationNextPageToken(id_offset=node_id, field_offset=value)
    token.set_options.CopyFrom(options)
    token.set_options.ClearField("next_page_token")
    return base64.urlsafe_b64encode(token.SerializeToString()).rstrip(b"=")


def read_token(options: pb.ListOperationOptions) -> PageKey:
    """Return the key that a page token holds, one of ours or of ML Metadata.

    Raises:
        InvalidArgument: It is not a token, or was made for another order.
    """
    token_text = text("options.next_page_token", options.next_page_token)
    try:
        padded = token_text + "=" * (-len(token_text) % 4)
        encoded = base64.b64decode(padded, altchars=b"-_", validate=True)
        token = pb.ListOperationNextPageToken.FromString(encoded)
    except (binascii.Error, ValueError, DecodeError):
        raise errors.InvalidArgument("options.next_page_token is not a page token") from None
    token_order, order = token.set_options.order_by_field, options.order_by_field
    if (token_order.field, token_order.is_asc) != (order.field, order.is_asc):
        raise errors.InvalidArgument("options.next_page_token was made for another order")
    if token.listed_ids and not token.HasField("id_offset"):
        # Of ML Metadata, by update time: the ids of the page that share its last time.
        last = max(token.listed_ids) if order.is_asc else min(token.listed_ids)
        return (token.field_offset, last)
    return (token.field_offset, token.id_offset)
