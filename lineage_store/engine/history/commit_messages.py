"""Commits as messages."""

from collections.abc import Collection, Iterable, Sequence

from lineage_store.database import tables
from lineage_store.database.commits import CommitPoint
from lineage_store.database.connection import Connection, Row
from lineage_store.database.facts import FactKey, FactKind
from lineage_store.database.queries import history
from lineage_store.engine.history.revisions import Tokens, revision_message
from lineage_store.v1 import history_pb2 as pb


class CommitMessages:
    """The messages of the commits of some stamps, read with two statements.

    Args:
        connection: Reads.
        tokens: The tokens of the store.
        stamps: The stamps; some may be older than the commits.
    """

    def __init__(self, connection: Connection, tokens: Tokens, stamps: Iterable[int]) -> None:
        self._rows = history.commits_at(connection, stamps)
        self._messages = {
            row[0]: message
            for row, message in zip(
                self._rows.values(),
                commit_messages(connection, tokens, list(self._rows.values())),
                strict=True,
            )
        }

    def at(self, stamp: int) -> pb.Commit | None:
        """Return the commit of a stamp, or None for facts from before there were commits."""
        return self._messages.get(stamp)


def commit_messages(connection: Connection, tokens: Tokens, rows: Sequence[Row]) -> list[pb.Commit]:
    """Return the messages of commits, without their facts."""
    names = history.writer_names(connection, (row[2] for row in rows)) if rows else {}
    messages = []
    for recorded_at, seq, writer, clock, _ in rows:
        message = pb.Commit(
            revision=revision_message(tokens, connection, CommitPoint(recorded_at, seq)),
            writer=writer,
            clock_microseconds=clock,
            is_backfill=writer == tables.BACKFILL,
        )
        if names.get(writer):
            message.writer_name = names[writer]
        messages.append(message)
    return messages


def add_facts(
    message: pb.Commit, facts: dict[FactKind, list[FactKey]], kinds: Collection[int]
) -> None:
    """Add the facts of some kinds to a commit; no kinds: of all."""
    for kind, keys in facts.items():
        if not kinds or kind in kinds:
            message.facts.extend(pb.Fact(kind=pb.Fact.Kind.Name(kind), key=key) for key in keys)
