"""GetHistory: all versions of a node, each with its commit and its changes."""

from lineage_store import errors
from lineage_store.database.connection import Connection, Row
from lineage_store.database.queries import history
from lineage_store.database.queries.snapshot import Snapshot
from lineage_store.engine.history.commit_messages import CommitMessages
from lineage_store.engine.history.field_changes import field_changes
from lineage_store.engine.history.revisions import Tokens
from lineage_store.engine.requests import required
from lineage_store.kinds import ARTIFACT, CONTEXT, EXECUTION, NodeKind
from lineage_store.v1 import history_pb2 as pb

MAX_VERSIONS = 1_000
MAX_BYTES = 16 * 1024 * 1024
"""About the bytes of one answer; a version is answered whole, however large."""

_KINDS: dict[int, NodeKind] = {
    pb.Fact.ARTIFACT: ARTIFACT,
    pb.Fact.EXECUTION: EXECUTION,
    pb.Fact.CONTEXT: CONTEXT,
}


def get_history(
    snapshot: Snapshot, request: pb.GetHistoryRequest, tokens: Tokens
) -> pb.GetHistoryResponse:
    """Answer the versions of a node, the first one first.

    Raises:
        InvalidArgument: The kind is none of a node, or a number is out of range.
        NotFound: There is no such node.
    """
    kind = _KINDS.get(request.kind)
    if kind is None:
        raise errors.InvalidArgument("kind must be ARTIFACT, EXECUTION or CONTEXT")
    node_id: int = required(request, "id", "")
    if request.after_version < 0 or request.max_versions < 0:
        raise errors.InvalidArgument("after_version and max_versions must not be negative")
    most = min(request.max_versions or MAX_VERSIONS, MAX_VERSIONS)
    after = request.after_version
    # One more before, to compare with, and one more behind, to see whether there is any.
    rows = history.versions_of(snapshot.connection, kind, node_id, max(0, after - 1), most + 2)
    if not rows:
        raise errors.NotFound(f"there is no {kind.name} {node_id}, or no version after {after}")
    return _answer(snapshot.connection, kind, list(rows), after, most, tokens)


def _answer(
    connection: Connection, kind: NodeKind, rows: list[Row], after: int, most: int, tokens: Tokens
) -> pb.GetHistoryResponse:
    before = kind.message.FromString(rows[0][2]) if rows[0][0] <= after else None
    following = [row for row in rows if row[0] > after]
    shown, size = following[:most], 0
    commits = CommitMessages(connection, tokens, [row[1] for row in shown])
    response = pb.GetHistoryResponse(has_more=len(following) > len(shown))
    for version, recorded_at, body in shown:
        size += len(body)
        if response.versions and size > MAX_BYTES:
            response.has_more = True
            break
        node = kind.message.FromString(body)
        message = response.versions.add(version=version, recorded_at_microseconds=recorded_at)
        commit = commits.at(recorded_at)
        if commit is not None:
            message.commit.CopyFrom(commit)
        getattr(message, kind.name).CopyFrom(node)
        if before is not None:
            message.changes.extend(field_changes(before, node))
        before = node
    return response
