"""Revisions and their tokens: `r1.`, 8 hex digits of the store, and the stamp of the commit."""

import hashlib
import re

from lineage_store import errors
from lineage_store.database.commits import CommitPoint
from lineage_store.database.connection import Connection
from lineage_store.database.queries import history
from lineage_store.database.queries.snapshot import Snapshot
from lineage_store.engine.requests import iso_time
from lineage_store.v1 import history_pb2 as pb

_TOKEN = re.compile(r"r1\.([0-9a-f]{8})\.([1-9][0-9]{0,18})", re.ASCII)

MAX_STAMP = 2**63 - 1


class Tokens:
    """The tokens of one store."""

    def __init__(self) -> None:
        self._origin = ""

    def origin(self, connection: Connection) -> str:
        """Return the mark that tells the store from others; read once."""
        if not self._origin:
            seed = history.first_seed(connection)
            self._origin = hashlib.sha256(seed).hexdigest()[:8]
        return self._origin

    @property
    def has_origin(self) -> bool:
        """True once the origin was read, so that `of` can be called."""
        return bool(self._origin)

    def of(self, stamp: int) -> str:
        """Return the token of a commit."""
        return f"r1.{self._origin}.{stamp}"

    def token(self, connection: Connection, stamp: int) -> str:
        """Return the token of a commit, also if the origin was not read yet."""
        self.origin(connection)
        return self.of(stamp)

    def stamp(self, connection: Connection, token: str, field: str) -> int:
        """Return the stamp in a token; no commit may have it.

        Raises:
            InvalidArgument: It is no token.
            FailedPrecondition: It is of another store.
        """
        match = _TOKEN.fullmatch(token)
        if match is None or int(match[2]) > MAX_STAMP:
            raise errors.InvalidArgument(
                f"{field}: {token[:60]!r} is not the token of a revision; take it whole, as the "
                "store answered it"
            )
        if match[1] != self.origin(connection):
            raise errors.FailedPrecondition(f"{field}: the revision {token} is of another store")
        return int(match[2])


def no_such_revision(connection: Connection, stamp: int, field: str) -> errors.LineageError:
    """Return the error for a stamp that no commit has."""
    last = history.last_commit_by(connection, MAX_STAMP)
    if stamp > last.recorded_at:
        return errors.OutOfRange(
            f"{field}: the store has not reached that revision; its last commit is {last.seq}"
        )
    return errors.InvalidArgument(f"{field}: there is no such revision; was the token cut short?")


def revision_message(tokens: Tokens, connection: Connection, point: CommitPoint) -> pb.Revision:
    """Return the message of a commit."""
    return pb.Revision(
        token=tokens.token(connection, point.recorded_at),
        recorded_at_microseconds=point.recorded_at,
        number=point.seq,
    )


def commit_by(connection: Connection, moment: int) -> CommitPoint:
    """Return the last commit by a time in µs since the epoch.

    Raises:
        NotFound: The store has none by then, and knew nothing.
        FailedPrecondition: The store has none by then, because it is older than its commits.
    """
    point = history.last_commit_by(connection, moment)
    if point.seq > 0:
        return point
    first = iso_time(history.first_commit(connection).recorded_at)
    if history.is_older_than(connection, moment):
        raise errors.FailedPrecondition(
            f"the store has commits since {first} only, and is older: bound a walk from ids by "
            "record time (recorded_as_of), or read the history of a node"
        )
    raise errors.NotFound(f"nothing was known then: the first commit of the store is of {first}")


def get_revision(
    snapshot: Snapshot, request: pb.GetRevisionRequest, tokens: Tokens
) -> pb.GetRevisionResponse:
    """Answer the last revision, or the last by some time.

    Raises:
        NotFound: The store has no commit by then.
    """
    connection = snapshot.connection
    by = request.recorded_by_microseconds
    has_bound = request.HasField("recorded_by_microseconds")
    point = commit_by(connection, by if has_bound else MAX_STAMP)
    return pb.GetRevisionResponse(revision=revision_message(tokens, connection, point))
