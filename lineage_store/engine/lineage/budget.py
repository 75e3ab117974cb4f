"""The budget of a query, and what of it is left."""

import time

from lineage_store import errors
from lineage_store.limits import LineageLimits
from lineage_store.v1 import lineage_pb2 as pb

FIELDS = ("max_nodes", "max_bytes", "max_milliseconds")


class Meter:
    """The budget of a query: the one that it asks for, or the limit of the store if that is less.

    Args:
        budget: LineageBudget.
        limits: The bounds that no budget exceeds.

    Attributes:
        nodes: Nodes that may still be answered.

    Raises:
        InvalidArgument: A part of the budget is less than 1.
    """

    def __init__(self, budget: pb.LineageBudget, limits: LineageLimits) -> None:
        allowed = {field: getattr(limits, field) for field in FIELDS}
        for field in FIELDS:
            if budget.HasField(field):
                allowed[field] = min(allowed[field], _positive(budget, field))
        self.nodes: int = allowed["max_nodes"]
        self._bytes: int = allowed["max_bytes"]
        self._deadline: float = time.monotonic() + allowed["max_milliseconds"] / 1000

    def spend(self, nodes: int, size: int) -> None:
        """Count answered nodes and bytes."""
        self.nodes -= nodes
        self._bytes -= size

    @property
    def is_late(self) -> bool:
        """True if the time is over."""
        return time.monotonic() >= self._deadline

    @property
    def seconds(self) -> float:
        """The seconds left; never 0, which would mean no limit."""
        return max(0.001, self._deadline - time.monotonic())

    @property
    def exhausted(self) -> "pb.Verdict.Reason | None":
        """The reason to stop, MAX_BYTES or MAX_TIME; None: neither is used up."""
        if self._bytes <= 0:
            return pb.Verdict.MAX_BYTES
        return pb.Verdict.MAX_TIME if self.is_late else None


def _positive(budget: pb.LineageBudget, field: str) -> int:
    value: int = getattr(budget, field)
    if value < 1:
        raise errors.InvalidArgument(f"budget.{field} must be at least 1")
    return value
