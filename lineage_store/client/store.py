"""The Python API of the store, over a transport."""

import os
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Self

from lineage_store.client.audit import Audits
from lineage_store.client.collections import NodeCollection
from lineage_store.client.contexts import ContextMethods
from lineage_store.client.edges import EdgeMethods
from lineage_store.client.history import History
from lineage_store.client.lineage import LineageMethods
from lineage_store.client.records import RecordMethods
from lineage_store.client.steps import StepMethods
from lineage_store.client.transport import RevisionTransport, Transport
from lineage_store.client.types import TypeMethods
from lineage_store.consistency import Consistency
from lineage_store.entities import Artifact, Context, Execution


class ClientStore(
    TypeMethods,
    LineageMethods,
    ContextMethods,
    EdgeMethods,
    StepMethods,
    RecordMethods,
):
    """All calls of the store; `lineage_store.LineageStore` is this with runs recorded on top.

    Attributes:
        url: Where it is.
        process_id: Of the process that opened it; a forked one can't use it.
        artifacts: The artifacts, as one object: `store.artifacts.get(7)`.
        executions: The executions.
        contexts: The contexts.
        history: Revisions, the versions of nodes, and the changes of the store.
        audit: The questions of an audit: `store.audit.origins("Model/churn")`.

    Args:
        transport: Carries the requests; closed with the store.
        url: Where the store is, as it was given to `connect`.
        fail_fast: Makes a transport that fails rather than waits; None: there is only the one.
    """

    def __init__(
        self,
        transport: RevisionTransport,
        *,
        url: str = "",
        fail_fast: Callable[[], Transport] | None = None,
    ) -> None:
        super().__init__(transport)
        self._revisions = transport
        self.url = url
        self.process_id = os.getpid()
        self._make_fail_fast = fail_fast
        self._fail_fast: Transport | None = None
        self._fail_fast_lock = threading.Lock()
        self.artifacts = NodeCollection(transport, Artifact)
        self.executions = NodeCollection(transport, Execution)
        self.contexts = NodeCollection(transport, Context)
        self.history = History(transport)
        self.audit = Audits(transport)

    def at(self, revision: str | datetime) -> Self:
        """Return this store as of a revision: every read answers the state of then.

        ```python
        with store.at("2026-06-30T12:00:00+00:00") as then:
            model = then.artifacts.get("Model/churn")
        ```

        Args:
            revision: A token, such as `last_revision`; or a time with its zone, as a datetime or in
                ISO 8601: the last revision that was recorded by then.

        Raises:
            InvalidArgument: It is neither.
            NotFound: The store has no revision by then.
            FailedPrecondition: The token is of another store.
            OutOfRange: The store has not reached the revision.
        """
        return self._pinned(Consistency(at=self.history.token(revision)))

    def at_least(self, revision: str) -> Self:
        """Return this store, each read of which sees a revision or a later one.

        Another server of the store waits until it has your writes through this one:

        ```python
        there.at_least(here.last_revision).artifacts.get(7)
        ```
        """
        return self._pinned(Consistency(at_least=revision))

    def _pinned(self, consistency: Consistency) -> Self:
        return type(self)(self._revisions.pinned(consistency), url=self.url)

    @property
    def last_revision(self) -> str:
        """The token of the revision that the last call wrote; empty: none wrote."""
        return self._revisions.last_revision

    def fail_fast_transport(self) -> Transport:
        """Return the transport for what must not wait for a store that is away.

        It is made at the first call, and closed with the store.
        """
        if self._make_fail_fast is None:
            return self._transport
        with self._fail_fast_lock:
            if self._fail_fast is None:
                self._fail_fast = self._make_fail_fast()
            return self._fail_fast

    def close(self) -> None:
        """Free the resources of the store; calls after this raise FailedPrecondition."""
        if self._fail_fast is not None:
            self._fail_fast.close()
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()
