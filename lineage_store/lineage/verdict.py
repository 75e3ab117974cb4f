"""The verdict on an answer: complete, or which limit ended it."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from lineage_store.lineage.identity import key, parse_key
from lineage_store.v1 import lineage_pb2 as pb


class Limit(StrEnum):
    """A limit that ended a walk before all was walked."""

    MAX_HOPS = "MAX_HOPS"
    MAX_NODES = "MAX_NODES"
    MAX_BYTES = "MAX_BYTES"
    MAX_TIME = "MAX_TIME"
    MAX_PATHS = "MAX_PATHS"

    @property
    def words(self) -> str:
        """For people: "the limit of nodes"."""
        nouns = {"MAX_TIME": "time", "MAX_PATHS": "paths", "MAX_BYTES": "bytes"}
        return f"the limit of {nouns.get(self, self.removeprefix('MAX_').lower())}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The verdict on an answer: complete, or which limit ended it.

    Attributes:
        complete: Nothing is missing, within what was asked for.
        reason: What ended the walk early; None: nothing did.
        by_server: The limit is one of the server, not one that the caller set.
        frontier: The keys of the nodes from which the walk did not go on, such as "artifact:12".
        node_count: How many nodes were answered.
        event_count: How many events were answered.
        resume_token: Continues the walk; None if it is complete, or can't be continued.
    """

    complete: bool
    reason: Limit | None = None
    by_server: bool = False
    frontier: tuple[str, ...] = ()
    node_count: int = 0
    event_count: int = 0
    resume_token: bytes | None = None

    def __str__(self) -> str:
        size = f"{counted(self.node_count, 'node')}, {counted(self.event_count, 'event')}"
        if self.complete:
            return f"complete: {size}"
        whose = " of the server" if self.by_server else ""
        reason = self.reason.words if self.reason else "a limit"
        rest = f"; {counted(len(self.frontier), 'node')} not followed" if self.frontier else ""
        return f"NOT COMPLETE: {reason}{whose} was reached; {size}{rest}"

    def to_message(self) -> pb.Verdict:
        """Return the verdict as a v1 message."""
        keys = [parse_key(node) for node in self.frontier]
        return pb.Verdict(
            complete=self.complete,
            reason=None if self.reason is None else str(self.reason),
            frontier_artifact_ids=[node for kind, node in keys if kind == "artifact"],
            frontier_execution_ids=[node for kind, node in keys if kind == "execution"],
            node_count=self.node_count,
            event_count=self.event_count,
            resume_token=self.resume_token,
        )

    @classmethod
    def from_message(
        cls, message: pb.Verdict, caller_limits: Collection[Limit] = frozenset(Limit)
    ) -> Self:
        """Return the verdict that a v1 message holds.

        Args:
            message: A Verdict.
            caller_limits: The limits that the caller set; any other is one of the server.
        """
        reason = None if message.complete else _limit(message.reason)
        frontier = [key("artifact", node_id) for node_id in message.frontier_artifact_ids]
        frontier += [key("execution", node_id) for node_id in message.frontier_execution_ids]
        return cls(
            complete=message.complete,
            reason=reason,
            by_server=reason is not None and reason not in caller_limits,
            frontier=tuple(frontier),
            node_count=message.node_count,
            event_count=message.event_count,
            resume_token=message.resume_token or None,
        )


def _limit(number: int) -> Limit | None:
    return Limit(pb.Verdict.Reason.Name(number)) if number else None


def counted(number: int, noun: str) -> str:
    """Return a number of things for people: "1 node", "2,000 nodes"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
