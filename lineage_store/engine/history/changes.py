"""GetChanges and Watch: the commits after a revision, in their order."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from lineage_store import errors
from lineage_store.database.commits import CommitPoint
from lineage_store.database.facts import decoded_facts
from lineage_store.database.queries import history
from lineage_store.database.queries.snapshot import Snapshot
from lineage_store.engine.cache.waiting import Announcements
from lineage_store.engine.history.commit_messages import add_facts, commit_messages
from lineage_store.engine.history.revisions import Tokens, no_such_revision, revision_message
from lineage_store.v1 import history_pb2 as pb

MAX_COMMITS = 1_000
MAX_BYTES = 4 * 1024 * 1024
"""About the encoded facts of one answer."""

LOOK_SECONDS = 0.25
"""Seconds for which a commit may go unseen by those who watch."""

SIGN_OF_LIFE_SECONDS = 10.0
"""Seconds after which those who watch hear that nothing came."""

Read = Callable[[Callable[[Snapshot], Any]], Any]


def get_changes(
    snapshot: Snapshot, request: pb.GetChangesRequest, tokens: Tokens
) -> pb.GetChangesResponse:
    """Answer the commits after a revision; with one statement if there are none.

    Raises:
        InvalidArgument: `after` is no token, or a number is negative.
        FailedPrecondition: `after` is a revision of another store.
        OutOfRange: `after` is a revision that the store has not reached.
    """
    if request.max_commits < 0:
        raise errors.InvalidArgument("max_commits must not be negative")
    connection = snapshot.connection
    after = _after(snapshot, request.after, tokens)
    most = min(request.max_commits or MAX_COMMITS, MAX_COMMITS)
    # The revision itself comes first: that it is there shows that the token is whole.
    rows = history.commits_from(connection, after, most + 2 if after else most + 1)
    if after:
        if not rows or rows[0][0] != after:
            raise no_such_revision(connection, after, "after")
        last, *rows = rows
    else:
        last = None
    shown = _fitting(rows[:most])
    response = pb.GetChangesResponse(has_more=len(rows) > len(shown))
    kinds = frozenset(request.kinds)
    for row, message in zip(shown, commit_messages(connection, tokens, shown), strict=True):
        add_facts(message, decoded_facts(bytes(row[4])), kinds)
        if message.facts:
            response.commits.append(message)
    last = shown[-1] if shown else last
    if last is not None:
        point = CommitPoint(last[0], last[1])
        response.last.CopyFrom(revision_message(tokens, connection, point))
    return response


def _after(snapshot: Snapshot, token: str, tokens: Tokens) -> int:
    return tokens.stamp(snapshot.connection, token, "after") if token else 0


def _fitting(rows: list[Any]) -> list[Any]:
    """Return the first rows, as many as fit into an answer, one at least."""
    size = 0
    for at, row in enumerate(rows):
        size += len(row[4])
        if at and size > MAX_BYTES:
            return rows[:at]
    return rows


def watch(
    read: Read, announcements: Announcements, request: pb.WatchRequest, tokens: Tokens
) -> Iterator[bytes]:
    """Yield encoded answers, also to commits to come; an empty one says only that it goes on.

    A WatchResponse has the fields of a GetChangesResponse, so it is encoded as one.

    Raises:
        LineageError: As `get_changes` raises.
        Unavailable: The store is about to close.
    """
    poll = pb.GetChangesRequest(after=request.after or None, kinds=request.kinds)
    first: pb.GetChangesResponse = read(partial(get_changes, request=poll, tokens=tokens))
    return _watched(read, announcements, poll, first, tokens)


def _watched(
    read: Read,
    announcements: Announcements,
    poll: pb.GetChangesRequest,
    response: pb.GetChangesResponse,
    tokens: Tokens,
) -> Iterator[bytes]:
    heard_at = time.monotonic()
    while True:
        is_due = time.monotonic() - heard_at > SIGN_OF_LIFE_SECONDS
        if response.commits or is_due:
            heard_at = time.monotonic()
            yield response.SerializeToString()
        else:
            yield b""
        if response.HasField("last"):
            poll.after = response.last.token
        if not response.has_more and not _paused(announcements):
            raise errors.Unavailable("the store is about to close; go on from the last revision")
        response = read(partial(get_changes, request=poll, tokens=tokens))


def _paused(announcements: Announcements) -> bool:
    """Wait until the next look; return whether there is one."""
    with announcements.about(()) as woken:
        woken.wait(LOOK_SECONDS)
    return not announcements.closed
