"""Versions of nodes, revisions and commits, as a user sees them."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from lineage_store.entities.nodes import Node

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(microseconds: int) -> datetime:
    """Return a time in µs since the epoch as a datetime."""
    return _EPOCH + timedelta(microseconds=microseconds)


@dataclass(frozen=True, slots=True)
class Revision:
    """The state of a store after one commit.

    Attributes:
        token: Names it in calls.
        recorded_at: When its commit was recorded.
        number: Of the commit; the first is 1.
    """

    token: str
    recorded_at: datetime
    number: int


@dataclass(frozen=True, slots=True)
class Commit:
    """Facts that were recorded together.

    Attributes:
        revision: The state after it.
        writer: Host and process that wrote it, or the number of the process.
        clock: The clock of that process.
        is_backfill: It names facts that were recorded before there were commits.
        facts: Its facts, where they were asked for: kind and key.
    """

    revision: Revision
    writer: str
    clock: datetime
    is_backfill: bool = False
    facts: list[tuple[str, tuple[int, ...]]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field that changed; None: it was not set."""

    field: str
    before: Any
    after: Any

    def __str__(self) -> str:
        before, after = (
            "unset" if value is None else json.dumps(value, ensure_ascii=False, default=str)
            for value in (self.before, self.after)
        )
        return f"{self.field}: {before} -> {after}"


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a node.

    Attributes:
        number: 1, and one more with each update.
        recorded_at: When the store learned it.
        node: The node as it was.
        commit: The commit that added it; None: from before there were commits.
        changes: The fields that differ from the version before.
    """

    number: int
    recorded_at: datetime
    node: Node
    commit: Commit | None
    changes: list[FieldChange]
