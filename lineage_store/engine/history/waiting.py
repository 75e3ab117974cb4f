"""Revisions that a call names: they are there, or come soon."""

import time
from collections.abc import Callable
from typing import Any

from lineage_store import errors
from lineage_store.database.commits import last_stamp
from lineage_store.database.queries import history
from lineage_store.database.queries.snapshot import Snapshot
from lineage_store.engine.history.revisions import Tokens, commit_by, no_such_revision

WAIT_SECONDS = 5.0
"""Seconds that a call waits for a revision of another server."""

PAUSE_SECONDS = 0.01


def checked_stamp(snapshot: Snapshot, tokens: Tokens, token: str, field: str) -> int:
    """Return the stamp of the commit that a token names.

    Raises:
        LineageError: There is no such commit, and why.
    """
    stamp = tokens.stamp(snapshot.connection, token, field)
    if stamp not in history.commits_at(snapshot.connection, [stamp]):
        raise no_such_revision(snapshot.connection, stamp, field)
    return stamp


def stamp_by(snapshot: Snapshot, bound: int) -> int:
    """Return the stamp of the last commit by a time in µs since the epoch.

    Raises:
        NotFound: The store has none by then.
    """
    return commit_by(snapshot.connection, bound).recorded_at


def wait_for_revision(read: Callable[..., Any], tokens: Tokens, token: str) -> None:
    """Return once the store has reached the revision of a token.

    Raises:
        InvalidArgument: It is no token.
        FailedPrecondition: It is of another store.
        OutOfRange: The store has not reached it within WAIT_SECONDS.
    """
    field = "at_least"
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        stamp, last = read(_stamps, tokens, token, field)
        if stamp <= last:
            return
        if time.monotonic() > deadline:
            raise errors.OutOfRange(f"{field}: the store has not reached the revision {token}")
        time.sleep(PAUSE_SECONDS)


def _stamps(snapshot: Snapshot, tokens: Tokens, token: str, field: str) -> tuple[int, int]:
    stamp = tokens.stamp(snapshot.connection, token, field)
    return stamp, last_stamp(snapshot.connection)
