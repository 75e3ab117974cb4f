"""Requests that share a transaction are bounded by their bytes."""

import threading
import time

import pytest

from lineage_store.database import group_commit
from lineage_store.database.group_commit import GroupCommit

LARGE = group_commit.MAX_GROUP_BYTES + 1


def groups_of(sizes: list[int]) -> list[list[int]]:
    """Return the sizes of the requests in each group, for requests that wait behind another."""
    groups: list[list[int]] = []
    first = threading.Event()

    def run(entries):
        groups.append([entry.size for entry in entries])
        first.wait(10)

    queue = GroupCommit(run)
    threads = [threading.Thread(target=queue.submit, args=(str,), kwargs={"size": -1})]
    threads += [
        threading.Thread(target=queue.submit, args=(str,), kwargs={"size": size}) for size in sizes
    ]
    for count, thread in enumerate(threads, 1):
        thread.start()
        deadline = time.monotonic() + 10
        while len(queue._queue) < count:
            assert time.monotonic() < deadline
            time.sleep(0.001)
    first.set()
    for thread in threads:
        thread.join(10)
    return groups[1:]


@pytest.mark.parametrize(
    ("sizes", "groups"),
    [
        ([1, 2, 3], [[1, 2, 3]]),
        ([1, LARGE, 2, 3], [[1], [LARGE], [2, 3]]),
        ([LARGE, LARGE, 1], [[LARGE], [LARGE], [1]]),
        ([LARGE // 2, LARGE // 2, LARGE // 2], [[LARGE // 2, LARGE // 2], [LARGE // 2]]),
    ],
)
def test_a_large_request_runs_alone(sizes, groups):
    assert groups_of(sizes) == groups
