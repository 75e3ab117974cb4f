"""Checks that update times moved where they should: the clocks of two stores can't be compared."""

import time
from collections.abc import Callable

from google.protobuf.message import Message

from tests.differential.comparison import Exchange, copy_of
from tests.differential.operations import compact

IDLE_UPDATE = "update time of an update that changes nothing"

Nodes = dict[str, dict[int, Message]]


def _state(node: Message) -> Message:
    """Return a node without its update time."""
    state = copy_of(node)
    state.ClearField("last_update_time_since_epoch")
    return state


def _moved(before: Message, after: Message) -> bool:
    return after.last_update_time_since_epoch != before.last_update_time_since_epoch


class UpdateTimes:
    """Judges the times of all nodes before and after one put."""

    def wait(self, stores: list[Nodes]) -> None:
        """Return when a put is bound to get a later time than all before it."""
        times = [
            node.last_update_time_since_epoch
            for nodes in stores
            for of_kind in nodes.values()
            for node in of_kind.values()
        ]
        while times and time.time_ns() // 10**6 <= max(times):
            time.sleep(0.0003)

    def judge(
        self,
        exchange: Exchange,
        before: list[Nodes],
        after: list[Nodes],
        fail: Callable[[str], None],
    ) -> int:
        """Fail where a time is not as it must be.

        Returns:
            How many nodes MLMD gave a new time although nothing about them changed.
        """
        self._check_each_store(exchange, before, after, fail)
        idle = 0
        (real_before, ours_before), (real_after, ours_after) = before, after
        for kind, nodes in real_before.items():
            for symbol, node in nodes.items():
                real = _moved(node, real_after[kind][symbol])
                ours = _moved(ours_before[kind][symbol], ours_after[kind][symbol])
                if real == ours:
                    continue
                changed = _state(ours_before[kind][symbol]) != _state(ours_after[kind][symbol])
                if ours or changed or self._forced(exchange, kind, symbol):
                    moves = {True: "moved", False: "stayed"}
                    fail(
                        f"{exchange}\nthe update time of {kind} {symbol} {moves[real]} in the "
                        f"real store and {moves[ours]} in ours; its state "
                        + ("changed" if changed else "is the same")
                    )
                idle += 1
        return idle

    @staticmethod
    def _forced(exchange: Exchange, kind: str, symbol: int) -> bool:
        """Return True if the request says that this update time moves whatever else happens."""
        return (
            exchange.method == "PutExecution"
            and kind == "execution"
            and exchange.request.options.force_update_time
            and exchange.request.execution.id == symbol
        )

    @staticmethod
    def _check_each_store(
        exchange: Exchange,
        before: list[Nodes],
        after: list[Nodes],
        fail: Callable[[str], None],
    ) -> None:
        """Fail where a store contradicts itself."""
        for answer, old, new in zip(exchange.raw, before, after, strict=True):
            if answer.code != 0 and old != new:
                fail(f"{exchange}\nthe call failed and left something behind")
            for kind, nodes in new.items():
                for symbol, node in nodes.items():
                    created, updated = (
                        node.create_time_since_epoch,
                        node.last_update_time_since_epoch,
                    )
                    was = old[kind].get(symbol, node)
                    if created > updated or was.create_time_since_epoch != created:
                        fail(f"{exchange}\nimpossible times: {compact(was)} -> {compact(node)}")
