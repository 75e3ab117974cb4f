"""Executions: what `LineageStore` offers on them."""

from collections.abc import Iterator, Sequence

from lineage_store.client.calls import OrderBy, Page, id_of
from lineage_store.client.nodes import NodeCalls
from lineage_store.entities import Context, Execution
from lineage_store.kinds import EXECUTION


class ExecutionMethods(NodeCalls):
    """Put, get, find, list and iterate executions."""

    def put_execution(self, execution: Execution, *, fields: Sequence[str] | None = None) -> int:
        """Create or update an execution; see `put_executions`.

        Returns:
            Its id.
        """
        return self.put_executions([execution], fields=fields)[0]

    def put_executions(
        self, executions: Sequence[Execution], *, fields: Sequence[str] | None = None
    ) -> list[int]:
        """Create the executions without id and update those with one; all or none.

        An update replaces an execution whole, its name excepted: a name stays.

        Args:
            executions: What to put.
            fields: What an update touches, such as "properties", "properties.KEY" or "state";
                None: everything.

        Returns:
            The ids, in the order of the arguments.

        Raises:
            InvalidArgument: A property contradicts the type, or an id to update is unknown.
            NotFound: There is no such type.
            AlreadyExists: The name within the type, or the external id, is taken.
        """
        return self._put_nodes(EXECUTION, executions, fields)

    def get_execution(
        self,
        id: int | None = None,  # noqa: A002 - the field has this name
        *,
        type: str | None = None,  # noqa: A002
        type_version: str | None = None,
        name: str | None = None,
        external_id: str | None = None,
    ) -> Execution:
        """Return one execution, chosen by id, by type and name, or by external id.

        Raises:
            NotFound: There is none.
            InvalidArgument: Not exactly one way to choose is given.
        """
        return self._get_node(Execution, id, type, type_version, name, external_id)

    def find_execution(
        self,
        id: int | None = None,  # noqa: A002 - the field has this name
        *,
        type: str | None = None,  # noqa: A002
        type_version: str | None = None,
        name: str | None = None,
        external_id: str | None = None,
    ) -> Execution | None:
        """Return one execution as `get_execution` does, or None if there is none."""
        return self._find_node(Execution, id, type, type_version, name, external_id)

    def get_executions(self, ids: Sequence[int]) -> list[Execution]:
        """Return the executions of these ids, in their order.

        Raises:
            NotFound: One of them is unknown.
        """
        return self._by_ids(Execution, ids)

    def list_executions(
        self,
        *,
        type: str | None = None,  # noqa: A002 - the field has this name
        type_version: str | None = None,
        context: Context | int | None = None,
        order_by: OrderBy = "id",
        ascending: bool = True,
        limit: int = 100,
        page_token: str | None = None,
        where: str | None = None,
    ) -> Page[Execution]:
        """Return a page of executions.

        Args:
            type: Only executions of this type; not together with `context`.
            type_version: The version of the type; None: the type without version.
            context: Only executions that belong to this context, or to that of this id.
            order_by: "id", "create_time" or "update_time"; ties are broken by id.
            ascending: Whether the smallest comes first.
            limit: Items on the page; more than 100 means 100.
            page_token: `next_page_token` of the page before.
            where: Only executions for which this expression holds.

        Raises:
            InvalidArgument: An argument is not valid, or the token belongs to another order.
        """
        return self._list_nodes(
            Execution,
            type_name=type,
            type_version=type_version,
            context_id=None if context is None else id_of(context),
            order_by=order_by,
            ascending=ascending,
            limit=limit,
            page_token=page_token,
            where=where,
        )

    def iter_executions(
        self,
        *,
        type: str | None = None,  # noqa: A002 - the field has this name
        type_version: str | None = None,
        context: Context | int | None = None,
        order_by: OrderBy = "id",
        ascending: bool = True,
        limit: int | None = None,
        where: str | None = None,
    ) -> Iterator[Execution]:
        """Yield executions, read page by page while they are consumed.

        The arguments are those of `list_executions`, but for `limit`:
        how many in all; None: every one.
        """
        return self._iter_nodes(
            Execution,
            limit,
            type_name=type,
            type_version=type_version,
            context_id=None if context is None else id_of(context),
            order_by=order_by,
            ascending=ascending,
            where=where,
        )
