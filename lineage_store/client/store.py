"""The Python API of the store."""

from typing import Self

from lineage_store.client.artifacts import ArtifactMethods
from lineage_store.client.contexts import ContextMethods
from lineage_store.client.edges import EdgeMethods
from lineage_store.client.executions import ExecutionMethods
from lineage_store.client.lineage import LineageMethods
from lineage_store.client.steps import StepMethods
from lineage_store.client.types import TypeMethods


class LineageStore(
    TypeMethods,
    ArtifactMethods,
    ExecutionMethods,
    ContextMethods,
    EdgeMethods,
    StepMethods,
    LineageMethods,
):
    """Records and reads lineage, in a database of this process or on a server.

    Made by `lineage_store.connect`; safe for many threads; closed by `with` or `close()`. `put_*`
    creates or updates, `get_*` raises NotFound, `find_*` may return None, `list_*` returns a page,
    or everything where a listing is never long, and `iter_*` reads page by page. Every call is one
    transaction: an error leaves nothing behind.

    Args:
        transport: Carries the requests; closed with the store.
    """

    def close(self) -> None:
        """Free what the store holds; calls after this raise FailedPrecondition."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()
