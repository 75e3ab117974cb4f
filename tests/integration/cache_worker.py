"""Runs steps that are cached, as one of several processes that share a server.

    python cache_worker.py HOST:PORT NAME STEPS KEYS LEASE_MILLISECONDS WORK_SECONDS

NAME is SLOT.NUMBER; workers of the same slot run the same steps. Before it works under a claim it
records a RUNNING execution with the key and the token as custom properties. Prints
a line for each claim that turned out to be lost.
"""

import hashlib
import random
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from lineage_store import errors
from lineage_store.client.channel import GrpcTransport
from lineage_store.v1 import cache_pb2
from lineage_store.v1 import metadata_pb2 as pb


def digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


def keys(name: str, steps: int, count: int) -> Iterator[str]:
    """Yield the key of each step: every second one is the same for all workers."""
    chance = random.Random(name.partition(".")[0])
    for at in range(steps):
        yield f"k{chance.randrange(count) if at % 2 else at % count}"


class Worker:
    """Runs steps one after the other."""

    def __init__(self, transport: GrpcTransport, name: str, lease: int, work: float) -> None:
        self._transport = transport
        self._name = name
        self._lease = lease
        self._work = work

    def run(self, at: int, key: str) -> None:
        """Run one step, wait for the process that runs it, or take the stored result."""
        while True:
            request = cache_pb2.LookupRequest(keys=[cache_pb2.CacheKey(digest=digest(key))])
            request.claim.holder, request.claim.lease_milliseconds = self._name, self._lease
            [result] = self._transport.call("Lookup", request).results
            outcome = result.WhichOneof("outcome")
            if outcome == "hit":
                return self._take(f"{self._name}/{at}", result.hit.entry_id)
            if outcome == "in_flight":
                list(self._transport.stream("Wait", cache_pb2.WaitRequest(digests=[digest(key)])))
            elif self._execute(key, result.claim):
                return None

    def _execute(self, key: str, claim: Any) -> bool:
        name = f"{self._name}/{key}/{claim.token}"
        self._record(self._step(name, key, claim.token, pb.Execution.RUNNING))
        time.sleep(self._work)
        step = self._step(name, key, claim.token, pb.Execution.COMPLETE)
        step.outputs.add(name="out", artifact=pb.Artifact(type="Out", uri=name))
        step.cache.digest, step.cache.holder, step.cache.token = (
            claim.digest,
            claim.holder,
            claim.token,
        )
        try:
            self._record(step)
        except errors.StaleClaim:
            print("lost", key, claim.token, flush=True)
            return False
        return True

    @staticmethod
    def _step(name: str, key: str, token: int, state: pb.Execution.State) -> cache_pb2.Step:
        step = cache_pb2.Step(key=name, create_types=True)
        step.execution.type, step.execution.last_known_state = "Step", state
        step.execution.custom_properties["key"].string_value = key
        step.execution.custom_properties["token"].int_value = token
        return step

    def _record(self, step: cache_pb2.Step) -> None:
        self._transport.call("RecordStep", cache_pb2.RecordStepRequest(step=step))

    def _take(self, name: str, entry_id: int) -> None:
        step = cache_pb2.Step(key=name, create_types=True)
        step.execution.type = "Step"
        request = cache_pb2.RecordCachedRequest(step=step, entry_id=entry_id)
        self._transport.call("RecordCached", request)


def main(address: str, name: str, *numbers: str) -> None:
    steps, count, lease = map(int, numbers[:3])
    with closing(GrpcTransport(address, timeout=120)) as transport:
        worker = Worker(transport, name, lease, float(numbers[3]))
        for at, key in enumerate(keys(name, steps, count)):
            worker.run(at, key)


if __name__ == "__main__":
    main(*sys.argv[1:])
