"""Callers of a soak: writers, readers, walkers, and hostile ones; each a loop over one channel."""

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import grpc

from lineage_store.v1 import lineage_pb2 as lineage
from lineage_store.v1 import metadata_pb2 as pb
from lineage_store.v1 import metadata_service_pb2 as rpc

METADATA = "/lineage_store.v1.MetadataStoreService/"
TRACE = "/lineage_store.v1.LineageService/Trace"
TIMEOUT_SECONDS = 30.0
ARTIFACT_TYPE, EXECUTION_TYPE = 10, 11
LARGE = 4 * 1024 * 1024
"""Bytes of the property that a hostile writer sends."""


@dataclass(slots=True)
class Record:
    """What one caller saw.

    Attributes:
        statuses: How often each status came.
        latencies: Of calls that were answered OK: when each ended, and how many seconds it took.
        acknowledged: Names and ids of executions that the server said it had stored.
    """

    statuses: Counter[str] = field(default_factory=Counter)
    latencies: list[tuple[float, float]] = field(default_factory=list)
    acknowledged: dict[str, int] = field(default_factory=dict)


class Caller:
    """Makes calls over a channel of its own, and counts their statuses.

    Args:
        address: HOST:PORT.
        seed: Of its random numbers.
    """

    def __init__(self, address: str, seed: int) -> None:
        self.random = random.Random(seed)
        self.record = Record()
        options = [("grpc.use_local_subchannel_pool", 1), ("grpc.max_receive_message_length", -1)]
        self._channel = grpc.insecure_channel(address, options=options)
        self._calls: dict[str, Any] = {}

    def call(self, path: str, request: bytes, seconds: float = TIMEOUT_SECONDS) -> bytes | None:
        """Return the answer, or None if the status is not OK."""
        if path not in self._calls:
            self._calls[path] = self._channel.unary_unary(path)
        begun = time.monotonic()
        try:
            answer: bytes = self._calls[path](request, timeout=seconds)
        except grpc.RpcError as error:
            self.record.statuses[error.code().name] += 1
            return None
        self.record.statuses["OK"] += 1
        self.record.latencies.append((time.time(), time.monotonic() - begun))
        return answer

    def stream(self, path: str, request: bytes) -> Any:
        """Return the parts of an answer, to be read or not."""
        return self._channel.unary_stream(path)(request, timeout=TIMEOUT_SECONDS)

    def close(self) -> None:
        """Close the channel."""
        self._channel.close()


ATTACKS = {"filter": 4, "bytes": 4, "stream": 4, "abandoned": 4, "token": 4, "large": 1}
"""What hostile callers do, and how often."""

Loop = Callable[[Caller, int, Callable[[], bool]], None]


def write(caller: Caller, number: int, is_over: Callable[[], bool]) -> None:
    """Record steps, each reading what the one before wrote; repeat what got UNAVAILABLE."""
    before: int | None = None
    while not is_over():
        name = f"{number}-{len(caller.record.acknowledged)}"
        answer = caller.call(METADATA + "PutExecution", _step(name, before))
        if answer is None:
            time.sleep(0.05)
            continue
        response = rpc.PutExecutionResponse.FromString(answer)
        caller.record.acknowledged[name] = response.execution_id
        before = response.artifact_ids[-1]


def _step(name: str, before: int | None) -> bytes:
    request = rpc.PutExecutionRequest(
        execution=pb.Execution(type_id=EXECUTION_TYPE, name=name, last_known_state="COMPLETE")
    )
    request.execution.custom_properties["loss"].double_value = len(name) / 7
    if before is not None:
        read = request.artifact_event_pairs.add()
        read.artifact.id, read.artifact.type_id = before, ARTIFACT_TYPE
        read.event.type = pb.Event.INPUT
    wrote = request.artifact_event_pairs.add()
    wrote.artifact.MergeFrom(pb.Artifact(type_id=ARTIFACT_TYPE, name=name, uri=f"s3://soak/{name}"))
    wrote.event.type = pb.Event.OUTPUT
    return request.SerializeToString()


def read(caller: Caller, number: int, is_over: Callable[[], bool]) -> None:
    """Read the newest executions, their events, and filter them."""
    while not is_over():
        options = pb.ListOperationOptions(max_result_size=20)
        options.order_by_field.is_asc = False
        if caller.random.random() < 0.3:
            options.filter_query = f"name LIKE '{number}-%' AND create_time_since_epoch > 0"
        asked = rpc.GetExecutionsRequest(options=options).SerializeToString()
        answer = caller.call(METADATA + "GetExecutions", asked)
        if answer is None:
            time.sleep(0.05)
            continue
        ids = [found.id for found in rpc.GetExecutionsResponse.FromString(answer).executions]
        events = rpc.GetEventsByExecutionIDsRequest(execution_ids=ids).SerializeToString()
        caller.call(METADATA + "GetEventsByExecutionIDs", events)


def walk(caller: Caller, number: int, is_over: Callable[[], bool]) -> None:
    """Walk upstream from new artifacts."""
    while not is_over():
        options = pb.ListOperationOptions(max_result_size=1)
        options.order_by_field.is_asc = False
        answer = caller.call(
            METADATA + "GetArtifacts", rpc.GetArtifactsRequest(options=options).SerializeToString()
        )
        newest = () if answer is None else rpc.GetArtifactsResponse.FromString(answer).artifacts
        if not newest:
            time.sleep(0.05)
            continue
        request = lineage.TraceRequest()
        request.walk.start.kind = lineage.ARTIFACT
        request.walk.start.ids.ids.append(newest[0].id)
        request.walk.direction = pb.LineageSubgraphQueryOptions.UPSTREAM
        request.walk.max_hops = 20
        _read_all(caller, request.SerializeToString())


def _read_all(caller: Caller, request: bytes) -> None:
    begun = time.monotonic()
    try:
        for _ in caller.stream(TRACE, request):
            pass
    except grpc.RpcError as error:
        caller.record.statuses[error.code().name] += 1
        return
    caller.record.statuses["OK"] += 1
    caller.record.latencies.append((time.time(), time.monotonic() - begun))


def attack(caller: Caller, number: int, is_over: Callable[[], bool]) -> None:
    """Ask for what costs much, send what is no request, and read nothing of long answers."""
    unread = []
    while not is_over():
        [kind] = caller.random.choices(list(ATTACKS), list(ATTACKS.values()))
        if kind == "filter":
            depth = caller.random.choice((1_000, 50_000, 240_000))
            _list(caller, "(" * depth + "id > 0" + ")" * depth)
        elif kind == "bytes":
            caller.call(METADATA + "PutArtifacts", caller.random.randbytes(2_000))
        elif kind == "stream":
            unread = [*unread[-3:], caller.stream(TRACE, _everything())]
        elif kind == "abandoned":
            _list(caller, "custom_properties.loss.double_value * 2 > 0.5", seconds=0.01)
        elif kind == "large":
            caller.call(METADATA + "PutArtifacts", _large())
        else:
            _list(caller, "", token="\N{SNOWMAN}" * 100)
        time.sleep(0.05)


def _list(caller: Caller, where: str, *, token: str = "", seconds: float = TIMEOUT_SECONDS) -> None:
    options = pb.ListOperationOptions(max_result_size=100, filter_query=where)
    options.next_page_token = token
    request = rpc.GetExecutionsRequest(options=options).SerializeToString()
    caller.call(METADATA + "GetExecutions", request, seconds)


def _everything() -> bytes:
    request = lineage.TraceRequest()
    request.walk.start.kind = lineage.ARTIFACT
    request.walk.start.ids.ids.append(1)
    return request.SerializeToString()


def _large() -> bytes:
    request = rpc.PutArtifactsRequest()
    artifact = request.artifacts.add(type_id=ARTIFACT_TYPE)
    artifact.custom_properties["blob"].string_value = "x" * LARGE
    return request.SerializeToString()
