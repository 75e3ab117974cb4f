"""A group of callers in a process of its own."""

import multiprocessing
import threading
import time
from collections import Counter
from dataclasses import dataclass
from multiprocessing.queues import Queue
from typing import Any

from benchmarks.soak.callers import Caller, Loop, Record


@dataclass(frozen=True, slots=True)
class Group:
    """What the callers of a group do.

    Attributes:
        name: Of the group, such as "writers".
        loop: What each caller does until the time is over.
        count: The number of callers.
        host: The address of this machine that they come from.
    """

    name: str
    loop: Loop
    count: int
    host: str = "127.0.0.1"

    def start(self, port: int, seconds: float) -> "tuple[Any, Queue[Record]]":
        """Start the process; it puts the sum of what its callers saw into the queue."""
        context = multiprocessing.get_context("spawn")
        results: Queue[Record] = context.Queue()
        process = context.Process(target=_run, args=(self, f"{self.host}:{port}", seconds, results))
        process.start()
        return process, results


def _run(group: Group, address: str, seconds: float, results: "Queue[Record]") -> None:
    deadline = time.monotonic() + seconds
    callers = [Caller(address, seed) for seed in range(group.count)]

    def is_over() -> bool:
        return time.monotonic() > deadline

    threads = [
        threading.Thread(target=group.loop, args=(caller, number, is_over))
        for number, caller in enumerate(callers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    results.put(_sum([caller.record for caller in callers]))


def _sum(records: list[Record]) -> Record:
    return Record(
        statuses=sum((record.statuses for record in records), Counter()),
        latencies=sorted(pair for record in records for pair in record.latencies),
        acknowledged={k: v for record in records for k, v in record.acknowledged.items()},
    )
