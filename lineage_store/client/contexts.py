"""Contexts: what `LineageStore` offers on them."""

from collections.abc import Iterator, Sequence

from lineage_store.client.calls import OrderBy, Page
from lineage_store.client.nodes import NodeCalls
from lineage_store.entities import Context
from lineage_store.kinds import CONTEXT


class ContextMethods(NodeCalls):
    """Put, get, find, list and iterate contexts."""

    def put_context(self, context: Context, *, fields: Sequence[str] | None = None) -> int:
        """Create or update a context; see `put_contexts`.

        Returns:
            Its id.
        """
        return self.put_contexts([context], fields=fields)[0]

    def put_contexts(
        self, contexts: Sequence[Context], *, fields: Sequence[str] | None = None
    ) -> list[int]:
        """Create the contexts without id and update those with one; all or none.

        An update replaces a context whole, its name too.

        Args:
            contexts: What to put. Each needs a name.
            fields: What an update touches, such as "properties", "properties.KEY" or "name";
                None: everything.

        Returns:
            The ids, in the order of the arguments.

        Raises:
            InvalidArgument: A property contradicts the type, or an id to update is unknown.
            NotFound: There is no such type.
            AlreadyExists: The name within the type, or the external id, is taken.
        """
        return self._put_nodes(CONTEXT, contexts, fields)

    def get_context(
        self,
        id: int | None = None,  # noqa: A002 - the field has this name
        *,
        type: str | None = None,  # noqa: A002
        type_version: str | None = None,
        name: str | None = None,
        external_id: str | None = None,
    ) -> Context:
        """Return one context, chosen by id, by type and name, or by external id.

        Raises:
            NotFound: There is none.
            InvalidArgument: Not exactly one way to choose is given.
        """
        return self._get_node(Context, id, type, type_version, name, external_id)

    def find_context(
        self,
        id: int | None = None,  # noqa: A002 - the field has this name
        *,
        type: str | None = None,  # noqa: A002
        type_version: str | None = None,
        name: str | None = None,
        external_id: str | None = None,
    ) -> Context | None:
        """Return one context as `get_context` does, or None if there is none."""
        return self._find_node(Context, id, type, type_version, name, external_id)

    def get_contexts(self, ids: Sequence[int]) -> list[Context]:
        """Return the contexts of these ids, in their order.

        Raises:
            NotFound: One of them is unknown.
        """
        return self._by_ids(Context, ids)

    def list_contexts(
        self,
        *,
        type: str | None = None,  # noqa: A002 - the field has this name
        type_version: str | None = None,
        order_by: OrderBy = "id",
        ascending: bool = True,
        limit: int = 100,
        page_token: str | None = None,
        where: str | None = None,
    ) -> Page[Context]:
        """Return a page of contexts.

        Args:
            type: Only contexts of this type.
            type_version: The version of the type; None: the type without version.
            order_by: "id", "create_time" or "update_time"; ties are broken by id.
            ascending: Whether the smallest comes first.
            limit: Items on the page; more than 100 means 100.
            page_token: `next_page_token` of the page before.
            where: Only contexts for which this expression holds.

        Raises:
            InvalidArgument: An argument is not valid, or the token belongs to another order.
        """
        return self._list_nodes(
            Context,
            type_name=type,
            type_version=type_version,
            context_id=None,
            order_by=order_by,
            ascending=ascending,
            limit=limit,
            page_token=page_token,
            where=where,
        )

    def iter_contexts(
        self,
        *,
        type: str | None = None,  # noqa: A002 - the field has this name
        type_version: str | None = None,
        order_by: OrderBy = "id",
        ascending: bool = True,
        limit: int | None = None,
        where: str | None = None,
    ) -> Iterator[Context]:
        """Yield contexts, read page by page while they are consumed.

        The arguments are those of `list_contexts`, but for `limit`:
        how many in all; None: every one.
        """
        return self._iter_nodes(
            Context,
            limit,
            type_name=type,
            type_version=type_version,
            context_id=None,
            order_by=order_by,
            ascending=ascending,
            where=where,
        )
