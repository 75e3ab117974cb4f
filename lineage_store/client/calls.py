"""The base of the methods of `LineageStore`: calls, the ids of types, pages."""

import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from google.protobuf.message import Message

from lineage_store import errors
from lineage_store.client.transport import Transport
from lineage_store.entities import Node
from lineage_store.entities.tables import data_frame, html_table
from lineage_store.kinds import NodeKind
from lineage_store.limits import MAX_PAGE
from lineage_store.v1 import metadata_pb2 as pb
from lineage_store.v1 import metadata_service_pb2 as rpc

if TYPE_CHECKING:
    from pandas import DataFrame

T = TypeVar("T")
N = TypeVar("N", bound=Node)

OrderBy = Literal["id", "create_time", "update_time"]
"""The order of a listing; ties are broken by id."""

_Field = pb.ListOperationOptions.OrderByField
_FIELDS: dict[str, Any] = {
    "id": _Field.ID,
    "create_time": _Field.CREATE_TIME,
    "update_time": _Field.LAST_UPDATE_TIME,
}


_SHOWN_ITEMS = 3
"""Items that the repr of a page shows."""


@dataclass(frozen=True, slots=True, repr=False)
class Page(Generic[T]):
    """A part of a listing.

    Attributes:
        items: At most as many as the limit.
        next_page_token: The `page_token` of the next page; None: this is the last.
    """

    items: list[T]
    next_page_token: str | None = None

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __repr__(self) -> str:
        items = [repr(item) for item in self.items[:_SHOWN_ITEMS]]
        if len(self.items) > _SHOWN_ITEMS:
            items.append(f"… {len(self.items) - _SHOWN_ITEMS} more")
        return f"Page([{', '.join(items)}], next_page_token={self.next_page_token!r})"

    def _repr_html_(self) -> str:
        note = "more on the next page: page_token=…" if self.next_page_token else ""
        return html_table(self.items, note)

    def to_pandas(self) -> "DataFrame":
        """Return the items as a pandas.DataFrame: a row each, a column a field.

        Times are in UTC, and properties have columns such as "properties.depth".

        >>> store.artifacts.list(type="Model").to_pandas()[["name", "properties.accuracy"]]

        Raises:
            FailedPrecondition: pandas is not installed.
        """
        return data_frame(self.items)


def request_for(method: str, **fields: Any) -> Any:
    """Return the request message of an RPC, with the fields that are not None.

    Raises:
        InvalidArgument: A field has a value of another kind, or a number that is too large.
    """
    request = getattr(rpc, f"{method}Request")
    values = {name: value for name, value in fields.items() if value is not None}
    try:
        return request(**values)
    except (TypeError, ValueError):
        raise _unfit(request, values) from None


def _unfit(request: Any, values: dict[str, Any]) -> errors.InvalidArgument:
    """Return the error that names the field whose value a request can't hold."""
    for name, value in values.items():
        try:
            request(**{name: value})
        except (TypeError, ValueError):
            return errors.InvalidArgument(f"{name} can't be {value!r:.100}")
    return errors.InvalidArgument("the fields of the request do not go together")


def id_of(node: Node | int) -> int:
    """Return the id of a node that is given as itself or as its id.

    Raises:
        InvalidArgument: The node has no id yet.
    """
    if not isinstance(node, Node):
        return node
    if node.id is None:
        raise errors.InvalidArgument(f"the {node.kind.name} has no id; put it first")
    return node.id


def list_options(
    *,
    order_by: OrderBy,
    ascending: bool,
    limit: int,
    page_token: str | None,
    where: str | None,
) -> Any:
    """Return the options of a listing.

    Raises:
        InvalidArgument: There is no such order.
    """
    if order_by not in _FIELDS:
        raise errors.InvalidArgument(f"order_by {order_by!r} is not one of {', '.join(_FIELDS)}")
    options = pb.ListOperationOptions(max_result_size=min(limit, MAX_PAGE))
    options.order_by_field.field = _FIELDS[order_by]
    options.order_by_field.is_asc = ascending
    if page_token:
        options.next_page_token = page_token
    if where is not None:
        options.filter_query = where
    return options


class Calls:
    """Makes calls over a transport, and remembers the ids of types.

    Args:
        transport: Carries the requests; closed with this object.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._type_ids: dict[tuple[NodeKind, str, str], int] = {}
        self._lock = threading.Lock()

    def _call(self, method: str, **fields: Any) -> Any:
        return self._send(method, request_for(method, **fields))

    def _send(self, method: str, request: Message) -> Any:
        return self._transport.call(method, request)

    def _type_id(self, kind: NodeKind, name: str, version: str | None) -> int:
        """Return the id of a type, which never changes and is therefore asked for once."""
        key = (kind, name, version or "")
        with self._lock:
            type_id = self._type_ids.get(key)
        if type_id is not None:
            return type_id
        method = f"Get{kind.name.title()}Type"
        response = self._call(method, type_name=name, type_version=version)
        return self._remember_type(key, getattr(response, f"{kind.name}_type").id)

    def _remember_type(self, key: tuple[NodeKind, str, str], type_id: int) -> int:
        with self._lock:
            self._type_ids[key] = type_id
        return type_id

    def _message(self, node: Node, *, demand_type: bool = False) -> Any:
        """Return the message of a node, with the id of its type.

        Args:
            node: The node.
            demand_type: An update needs the type as well.

        Raises:
            InvalidArgument: A field has a value that can't be kept, or the type is missing.
            NotFound: There is no such type.
        """
        message = node.to_message()
        if node.type_id is None and node.type is not None:
            message.type_id = self._type_id(node.kind, node.type, node.type_version)
        if not message.HasField("type_id") and (demand_type or node.id is None):
            raise errors.InvalidArgument(f"{node.kind.name}.type must be set")
        return message

    def _messages(self, nodes: Iterable[Node], *, demand_type: bool = False) -> Sequence[Any]:
        return [self._message(node, demand_type=demand_type) for node in nodes]
