"""Artifacts, executions and contexts alike: put, get, find, list and iterate."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from google.protobuf.field_mask_pb2 import FieldMask

from lineage_store import errors
from lineage_store.client.calls import Calls, OrderBy, Page, list_options
from lineage_store.entities import Node
from lineage_store.kinds import NodeKind
from lineage_store.limits import MAX_PAGE

N = TypeVar("N", bound=Node)


def _mask(kind: NodeKind, fields: Sequence[str] | None) -> FieldMask | None:
    if isinstance(fields, str):
        raise errors.InvalidArgument(f"fields must be a list: [{fields!r}]")
    if fields is not None and not fields:
        raise errors.InvalidArgument("fields must not be empty; None updates the whole node")
    if fields is None:
        return None
    return FieldMask(paths=[str(kind.state_field) if f == "state" else f for f in fields])


def _check_selection(kind: NodeKind, *selectors: object, type_version: str | None) -> None:
    node_id, type_name, name, external_id = selectors
    by_name = type_name is not None and name is not None
    half_a_name = (type_name is None) != (name is None)
    ways = (node_id is not None) + by_name + (external_id is not None)
    if ways != 1 or half_a_name or (type_version is not None and not by_name):
        raise errors.InvalidArgument(
            f"name one {kind.name}: by id, by type and name, or by external_id"
        )


class NodeCalls(Calls):
    """The calls that the three kinds of node have in common, written once."""

    def _put_nodes(
        self, kind: NodeKind, nodes: Sequence[Node], fields: Sequence[str] | None, **more: Any
    ) -> list[int]:
        for node in nodes:
            if node.kind is not kind:
                raise errors.InvalidArgument(f"{type(node).__name__} among the {kind.plural}")
        messages = {kind.plural: self._messages(nodes), "update_mask": _mask(kind, fields)}
        response = self._call(f"Put{kind.plural.title()}", **messages, **more)
        return list(getattr(response, f"{kind.name}_ids"))

    def _by_ids(self, cls: type[N], ids: Sequence[int]) -> list[N]:
        kind = cls.kind
        response = self._call(f"Get{kind.plural.title()}ByID", **{f"{kind.name}_ids": ids})
        messages_by_id = {node.id: node for node in getattr(response, kind.plural)}
        missing_ids = [str(node_id) for node_id in ids if node_id not in messages_by_id]
        if missing_ids:
            raise errors.NotFound(f"no {kind.name} has the id {', '.join(missing_ids)}")
        return [cls.from_message(messages_by_id[node_id]) for node_id in ids]

    def _find_node(
        self,
        cls: type[N],
        node_id: int | None,
        type_name: str | None,
        type_version: str | None,
        name: str | None,
        external_id: str | None,
    ) -> N | None:
        kind = cls.kind
        _check_selection(kind, node_id, type_name, name, external_id, type_version=type_version)
        if node_id is not None:
            response = self._call(
                f"Get{kind.plural.title()}ByID", **{f"{kind.name}_ids": [node_id]}
            )
        elif external_id is not None:
            response = self._by_external_id(kind, external_id)
        else:
            return self._by_name(cls, type_name, type_version, name)
        messages = [] if response is None else getattr(response, kind.plural)
        return cls.from_message(messages[0]) if messages else None

    def _by_external_id(self, kind: NodeKind, external_id: str) -> Any:  # noqa: ANN401 - the response of the method
        try:
            return self._call(f"Get{kind.plural.title()}ByExternalIds", external_ids=[external_id])
        except errors.NotFound:
            return None

    def _by_name(
        self, cls: type[N], type_name: str | None, type_version: str | None, name: str | None
    ) -> N | None:
        kind = cls.kind
        response = self._call(
            f"Get{kind.name.title()}ByTypeAndName",
            type_name=type_name,
            type_version=type_version,
            **{f"{kind.name}_name": name},
        )
        if not response.HasField(kind.name):
            return None
        return cls.from_message(getattr(response, kind.name))

    def _get_node(
        self,
        cls: type[N],
        node_id: int | None,
        type_name: str | None,
        type_version: str | None,
        name: str | None,
        external_id: str | None,
    ) -> N:
        node = self._find_node(cls, node_id, type_name, type_version, name, external_id)
        if node is not None:
            return node
        if node_id is not None:
            selector = f"the id {node_id}"
        elif external_id is not None:
            selector = f"the external id {external_id!r}"
        else:
            selector = f"the type {type_name!r} and the name {name!r}"
        raise errors.NotFound(f"no {cls.kind.name} has {selector}")

    def _list_nodes(
        self,
        cls: type[N],
        *,
        type_name: str | None,
        type_version: str | None,
        context_id: int | None,
        order_by: OrderBy,
        ascending: bool,
        limit: int,
        page_token: str | None,
        where: str | None,
    ) -> Page[N]:
        if limit < 1:
            raise errors.InvalidArgument(f"limit must be at least 1, not {limit}")
        options = list_options(
            order_by=order_by,
            ascending=ascending,
            limit=limit,
            page_token=page_token,
            where=where,
        )
        scope = _scope(cls.kind, type_name, type_version, context_id)
        response = self._call(scope.pop("method"), options=options, **scope)
        nodes = [cls.from_message(node) for node in getattr(response, cls.kind.plural)]
        return Page(nodes, response.next_page_token or None)

    def _iter_nodes(self, cls: type[N], limit: int | None, **scope: Any) -> Iterator[N]:
        if limit is not None and limit < 0:
            raise errors.InvalidArgument(f"limit must not be negative: {limit}")
        return self._pages(cls, limit, scope)

    def _pages(self, cls: type[N], limit: int | None, scope: Mapping[str, Any]) -> Iterator[N]:
        remaining, token = limit, None
        while remaining is None or remaining > 0:
            size = MAX_PAGE if remaining is None else min(remaining, MAX_PAGE)
            page = self._list_nodes(cls, limit=size, page_token=token, **scope)
            yield from page.items
            token = page.next_page_token
            if token is None:
                return
            remaining = None if remaining is None else remaining - len(page.items)


def _scope(
    kind: NodeKind, type_name: str | None, type_version: str | None, context_id: int | None
) -> dict[str, Any]:
    """Return the RPC of a listing as "method", with the fields of its scope."""
    if type_name is not None and context_id is not None:
        raise errors.InvalidArgument("list by type or by context, not by both")
    if type_version is not None and type_name is None:
        raise errors.InvalidArgument("type_version needs a type")
    every = f"Get{kind.plural.title()}"
    if context_id is not None:
        return {"method": f"{every}ByContext", "context_id": context_id}
    if type_name is not None:
        by_type = {"type_name": type_name, "type_version": type_version}
        return {"method": f"{every}ByType", **by_type}
    return {"method": every}
