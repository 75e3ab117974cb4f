"""The message of an answer, with the revision that was read."""

from lineage_store.audit.answer import Audit
from lineage_store.database.queries import history
from lineage_store.database.queries.snapshot import Snapshot
from lineage_store.engine.audit.sources import AuditSources
from lineage_store.engine.history.revisions import MAX_STAMP, revision_message
from lineage_store.v1 import audit_pb2 as pb


def answer(snapshot: Snapshot, sources: AuditSources, audit: Audit) -> pb.Audit:
    """Return the message of an answer that was read from a snapshot."""
    message = audit.to_message()
    point = history.last_commit_by(snapshot.connection, MAX_STAMP)
    if point.seq:
        message.revision.CopyFrom(revision_message(sources.tokens, snapshot.connection, point))
    return message
