"""The nodes of one kind as one object: `store.artifacts`, `store.executions`, `store.contexts`."""

from collections.abc import Iterator, Sequence
from typing import Generic, TypeVar

from lineage_store import errors
from lineage_store.client.calls import OrderBy, Page, id_of
from lineage_store.client.history import History
from lineage_store.client.nodes import NodeCalls
from lineage_store.client.notation import NotationMethods
from lineage_store.client.pinned import PinnedTransport
from lineage_store.client.transport import Transport
from lineage_store.entities import Context, Node
from lineage_store.entities.versions import Version
from lineage_store.kinds import CONTEXT, EXECUTION
from lineage_store.lineage.identity import parse_id, parse_key

N = TypeVar("N", bound=Node)


class NodeCollection(NodeCalls, Generic[N]):
    """The artifacts, executions or contexts of a store.

    >>> store.artifacts.get(7)
    >>> store.artifacts.get("Model/churn")
    >>> [step.id for step in store.executions.iter(type="Train", limit=10)]

    A node is named by its id, or by a text of the command line: "7", "artifact:7", "TYPE/NAME"; an
    artifact also by "uri:URI", "digest:DIGEST" or the path of a file.

    Args:
        transport: Carries the requests.
        node_class: Artifact, Execution or Context.
    """

    def __init__(self, transport: Transport, node_class: type[N]) -> None:
        super().__init__(transport)
        self._class = node_class
        self._kind = node_class.kind

    def __repr__(self) -> str:
        return f"<{self._kind.plural} of a store>"

    def put(self, *nodes: N, fields: Sequence[str] | None = None) -> list[int]:
        """Create the nodes without id and update those with one; all or none.

        Args:
            *nodes: The nodes.
            fields: The fields that an update touches, such as "properties.depth"; None: all.

        Returns:
            The ids, in the order of the arguments.

        Raises:
            LineageError: As `put_artifacts`, `put_executions` and `put_contexts`.
        """
        return self._put_nodes(self._kind, nodes, fields)

    def get(self, name: int | str) -> N:
        """Return a node by its id or name.

        Raises:
            NotFound: There is none. If you read a past revision, it says since when there is.
            InvalidArgument: The text names no node of this kind, or several.
        """
        try:
            return self._get(name)
        except errors.NotFound as error:
            present = (
                self._transport.present if isinstance(self._transport, PinnedTransport) else None
            )
            node = None if present is None else NodeCollection(present, self._class).find(name)
            if present is None or node is None:
                raise
            first = History(present).versions(self._kind, int(node.id or 0))[0]
            raise errors.NotFound(
                f"not known then: {self._kind.name} {node.id}; the store learned of it at "
                f"{first.recorded_at.isoformat()}"
            ) from error

    def _get(self, name: int | str) -> N:
        if isinstance(name, bool) or not isinstance(name, int | str):
            raise errors.InvalidArgument(
                f"name one {self._kind.name} by its id or a text, not by {name!r:.100}"
            )
        node_id = name if isinstance(name, int) else self._id_of(name)
        if node_id is None:
            type_name, _, node_name = str(name).removeprefix("context:").partition("/")
            return self._get_node(self._class, None, type_name, None, node_name, None)
        return self._get_node(self._class, node_id, None, None, None, None)

    def history(self, name: int | str) -> list[Version]:
        """Return all versions of a node, the first one first.

        ```python
        for version in store.artifacts.history(7):
            print(version.recorded_at, version.changes)
        ```

        Args:
            name: The node, as in `get`.

        Raises:
            NotFound: There is none.
        """
        node_id = name if isinstance(name, int) else self.get(name).id
        return History(self._transport).versions(self._class.kind, int(node_id or 0))

    def find(self, name: int | str) -> N | None:
        """Return a node as `get` does, or None if there is none."""
        try:
            return self.get(name)
        except errors.NotFound:
            return None

    def list(
        self,
        *,
        type: str | None = None,  # noqa: A002 - the field has this name
        context: Context | int | None = None,
        where: str | None = None,
        order_by: OrderBy = "id",
        ascending: bool = True,
        limit: int = 100,
        page_token: str | None = None,
    ) -> Page[N]:
        """Return a page of nodes; the arguments are those of `list_artifacts`."""
        return self._list_nodes(
            self._class,
            type_name=type,
            type_version=None,
            context_id=self._context_id(context),
            order_by=order_by,
            ascending=ascending,
            limit=limit,
            page_token=page_token,
            where=where,
        )

    def iter(
        self,
        *,
        type: str | None = None,  # noqa: A002 - the field has this name
        context: Context | int | None = None,
        where: str | None = None,
        order_by: OrderBy = "id",
        ascending: bool = True,
        limit: int | None = None,
    ) -> Iterator[N]:
        """Yield nodes, read page by page while you consume them; `limit` is for all pages."""
        return self._iter_nodes(
            self._class,
            limit,
            type_name=type,
            type_version=None,
            context_id=self._context_id(context),
            order_by=order_by,
            ascending=ascending,
            where=where,
        )

    def __iter__(self) -> Iterator[N]:
        return self.iter()

    def _context_id(self, context: Context | int | None) -> int | None:
        if context is not None and self._kind is CONTEXT:
            raise errors.InvalidArgument("contexts belong to no context; ask for their children")
        return None if context is None else id_of(context)

    def _id_of(self, name: str) -> int | None:
        """Return the id that a text names; None: it is the type and the name of a context."""
        if name.isascii() and name.isdigit():
            return parse_id(name)
        if self._kind is CONTEXT:
            digits = name.removeprefix("context:")
            if digits.isascii() and digits.isdigit():
                return parse_id(digits)
            if not all(name.partition("/")):
                raise errors.InvalidArgument(f"{name!r} names no context: give 12 or TYPE/NAME")
            return None
        is_bare = self._kind is EXECUTION and not name.startswith(("execution:", "artifact:"))
        nodes = NotationMethods(self._transport).find_nodes(
            f"execution:{name}" if is_bare else name
        )
        kind, node_id = parse_key(nodes.only(name))
        if kind != self._kind.name:
            raise errors.InvalidArgument(f"{name!r} names an {kind}, not an {self._kind.name}")
        return node_id
