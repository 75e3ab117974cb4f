"""The past of a store: its revisions, the versions of nodes, and its changes."""

import json
import logging
import time
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from lineage_store import errors
from lineage_store.client.transport import Transport
from lineage_store.client.walks import microseconds
from lineage_store.consistency import TOKEN_PREFIX
from lineage_store.entities import Artifact, Context, Execution
from lineage_store.entities.versions import Commit, FieldChange, Revision, Version, moment
from lineage_store.kinds import ARTIFACT, CONTEXT, EXECUTION, NodeKind
from lineage_store.v1 import history_pb2 as pb

POLL_SECONDS = 1.0
"""Seconds between two attempts to reach a store that is away."""

logger = logging.getLogger(__name__)

_CLASSES: dict[NodeKind, type[Artifact] | type[Execution] | type[Context]] = {
    ARTIFACT: Artifact,
    EXECUTION: Execution,
    CONTEXT: Context,
}


class History:
    """The history of one store; you get it as `store.history`.

    Args:
        transport: Carries the requests.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def revision(self, by: datetime | str | None = None) -> Revision:
        """Return the last revision, or the last that was recorded by some time.

        Raises:
            NotFound: The store has none by then.
        """
        request = pb.GetRevisionRequest()
        if by is not None:
            request.recorded_by_microseconds = microseconds(by, "by")
        response: Any = self._transport.call("GetRevision", request)
        return _revision(response.revision)

    def token(self, revision: datetime | str) -> str:
        """Return the token of a revision that a token or a time names."""
        if isinstance(revision, str) and revision.startswith(TOKEN_PREFIX):
            return revision
        return self.revision(revision).token

    def versions(self, kind: NodeKind, node_id: int) -> list[Version]:
        """Return all versions of a node, the first one first.

        Raises:
            NotFound: There is no such node.
        """
        request = pb.GetHistoryRequest(kind=_number(kind.name), id=node_id)
        versions: list[Version] = []
        while True:
            response: Any = self._transport.call("GetHistory", request)
            versions += [_version(kind, message) for message in response.versions]
            if not response.has_more:
                return versions
            request.after_version = versions[-1].number

    def changes(self, after: str = "", kinds: Iterable[str] = ()) -> Iterator[Commit]:
        """Yield the commits after a revision, up to now.

        Args:
            after: The token of the revision; empty: from the first commit on.
            kinds: Only facts of these kinds, such as "artifact" or "event"; empty: of all.

        Raises:
            InvalidArgument: There is no such kind, or `after` is no token.
        """
        request = pb.GetChangesRequest(after=after or None, kinds=map(_number, kinds))
        while True:
            response: Any = self._transport.call("GetChanges", request)
            yield from map(_commit, response.commits)
            if not response.has_more:
                return
            request.after = response.last.token

    def watch(self, after: str = "", kinds: Iterable[str] = ()) -> Iterator[Commit]:
        """Yield the commits after a revision, and those to come, without end.

        Each commit comes once, in the order of commits. If the server goes away, the iterator goes
        on from the last one when it is back. To go on in another process, keep the token of the
        last commit that you have dealt with.

        Args:
            after: As in `changes`.
            kinds: As in `changes`.
        """
        request = pb.WatchRequest(after=after or None, kinds=map(_number, kinds))
        while True:
            try:
                for response in self._transport.stream("Watch", request):
                    part: Any = response
                    yield from map(_commit, part.commits)
                    if part.HasField("last"):
                        request.after = part.last.token
            except errors.DeadlineExceeded:
                pass  # a call may not take longer, so another goes on
            except errors.Unavailable as error:
                logger.warning("watching goes on when the store is back: %s", error)
                time.sleep(POLL_SECONDS)


def _number(name: str) -> Any:  # noqa: ANN401 - the stubs tell Value as an int
    try:
        return pb.Fact.Kind.Value(name.upper())
    except ValueError:
        kinds = ", ".join(kind.lower() for kind in pb.Fact.Kind.keys()[1:])
        raise errors.InvalidArgument(f"there is no kind {name!r}; the kinds are {kinds}") from None


def _revision(message: pb.Revision) -> Revision:
    return Revision(message.token, moment(message.recorded_at_microseconds), message.number)


def _commit(message: pb.Commit) -> Commit:
    facts = [(pb.Fact.Kind.Name(fact.kind).lower(), tuple(fact.key)) for fact in message.facts]
    return Commit(
        _revision(message.revision),
        message.writer_name or str(message.writer),
        moment(message.clock_microseconds),
        message.is_backfill,
        facts,
    )


def _version(kind: NodeKind, message: pb.NodeVersion) -> Version:
    return Version(
        number=message.version,
        recorded_at=moment(message.recorded_at_microseconds),
        node=_CLASSES[kind].from_message(getattr(message, kind.name)),
        commit=_commit(message.commit) if message.HasField("commit") else None,
        changes=[
            FieldChange(change.field, _value(change, "before"), _value(change, "after"))
            for change in message.changes
        ],
    )


def _value(change: pb.FieldChange, name: str) -> object:
    return json.loads(getattr(change, name)) if change.HasField(name) else None
