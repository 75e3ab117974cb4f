"""A server under load, and one that is killed under load.

LINEAGE_LOAD_SECONDS and LINEAGE_KILLS make the tests longer (CONTRIBUTING.md).
"""

import os
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from lineage_store import errors
from lineage_store.client.channel import GrpcTransport
from lineage_store.database.schema import administration
from lineage_store.engine import Engine
from lineage_store.v1 import metadata_pb2 as pb
from lineage_store.v1 import metadata_service_pb2 as service
from tests.integration.serving import serving

SECONDS = float(os.environ.get("LINEAGE_LOAD_SECONDS", "5"))
KILLS = int(os.environ.get("LINEAGE_KILLS", "3"))
WRITERS, READERS = 32, 8
ARTIFACT_TYPE, EXECUTION_TYPE, CONTEXT_TYPE = 10, 11, 12

pytestmark = [pytest.mark.long, pytest.mark.timeout(120 + SECONDS + 30 * KILLS)]


def put_types(transport: GrpcTransport) -> None:
    request = service.PutTypesRequest()
    request.artifact_types.add(name="A")
    request.execution_types.add(name="E")
    request.context_types.add(name="C")
    transport.call("PutTypes", request)


def step(name: str) -> service.PutExecutionRequest:
    """Return a step with an output, both of this name, in the one context."""
    request = service.PutExecutionRequest(
        execution=pb.Execution(type_id=EXECUTION_TYPE, name=name),
        contexts=[pb.Context(type_id=CONTEXT_TYPE, name="pipeline")],
    )
    request.options.reuse_context_if_already_exist = True
    pair = request.artifact_event_pairs.add()
    pair.artifact.MergeFrom(pb.Artifact(type_id=ARTIFACT_TYPE, name=name, uri=name))
    pair.event.type = pb.Event.OUTPUT
    return request


def write_until(
    stopped: Callable[[], bool], transport: GrpcTransport, prefix: str
) -> dict[str, int]:
    """Record steps; return the id of the execution of each that was acknowledged."""
    acknowledged: dict[str, int] = {}
    while not stopped():
        name = f"{prefix}-{len(acknowledged)}"
        answer = transport.call("PutExecution", step(name))
        acknowledged[name] = answer.execution_id
    return acknowledged


def read_until(stopped: Callable[[], bool], transport: GrpcTransport) -> int:
    """Read the last written nodes; return the number of reads."""
    reads = 0
    options = pb.ListOperationOptions(max_result_size=20)
    options.order_by_field.is_asc = False
    while not stopped():
        request = service.GetExecutionsRequest(options=options)
        ids = [e.id for e in transport.call("GetExecutions", request).executions]
        by_execution = service.GetEventsByExecutionIDsRequest(execution_ids=ids)
        events = transport.call("GetEventsByExecutionIDs", by_execution).events
        assert sorted(event.execution_id for event in events) == sorted(ids)
        reads += 2
    return reads


def merged(parts: list[dict[str, int]]) -> dict[str, int]:
    return {name: value for part in parts for name, value in part.items()}


class Stored:
    """Return the content of a file, read without the server."""

    def __init__(self, path: Path) -> None:
        url = f"sqlite:///{path}"
        assert administration.integrity_problems(url) == []
        with closing(Engine(url)) as engine:
            self.executions = self._read(engine, "GetExecutions", "executions")
            self.artifacts = self._read(engine, "GetArtifacts", "artifacts")
            ids = [execution.id for execution in self.executions]
            request = service.GetEventsByExecutionIDsRequest(execution_ids=ids)
            answer = engine.call("GetEventsByExecutionIDs", request)
            self.events = service.GetEventsByExecutionIDsResponse.FromString(answer).events
            by_context = {"context_id": 1}
            self.members = [
                len(self._read(engine, "GetExecutionsByContext", "executions", **by_context)),
                len(self._read(engine, "GetArtifactsByContext", "artifacts", **by_context)),
            ]

    @staticmethod
    def _read(engine: Engine, method: str, field: str, **fields: int) -> list:
        answer = engine.call(method, getattr(service, f"{method}Request")(**fields))
        return list(getattr(getattr(service, f"{method}Response").FromString(answer), field))

    def check_whole_steps(self) -> None:
        """Every step is there with all that belongs to it."""
        outputs = {node.id: node.name for node in self.artifacts}
        names = {node.id: node.name for node in self.executions}
        assert len(self.events) == len(outputs) == len(names)
        assert all(outputs[e.artifact_id] == names[e.execution_id] for e in self.events)
        assert self.members == [len(names), len(outputs)]


def test_load(tmp_path):
    with serving(tmp_path, "--threads", "40") as served:
        transport = GrpcTransport(served.address, retry=False)
        with closing(transport), ThreadPoolExecutor(WRITERS + READERS) as pool:
            put_types(transport)
            end = time.monotonic() + SECONDS

            def stopped() -> bool:
                return time.monotonic() > end

            writing = [
                pool.submit(write_until, stopped, transport, f"w{i}") for i in range(WRITERS)
            ]
            reading = [pool.submit(read_until, stopped, transport) for _ in range(READERS)]
            acknowledged = merged([future.result() for future in writing])
            reads = [future.result() for future in reading]
        assert served.stop() == 0
        assert "WARNING" not in served.log()
        assert "ERROR" not in served.log()
    stored = Stored(tmp_path / "store.db")
    assert {node.name: node.id for node in stored.executions} == acknowledged
    assert len(stored.executions) == len(acknowledged) > WRITERS
    assert min(reads) > 0
    stored.check_whole_steps()


def write_until_killed(
    transport: GrpcTransport, prefix: str, dead: threading.Event
) -> dict[str, int]:
    acknowledged: dict[str, int] = {}
    while not dead.is_set():
        name = f"{prefix}-{len(acknowledged)}"
        try:
            acknowledged[name] = transport.call("PutExecution", step(name)).execution_id
        except errors.Unavailable:
            return acknowledged
    return acknowledged


def kill_under_load(directory: Path, writers: int, prefix: str) -> dict[str, int]:
    """Serve, write, kill -9; return the acknowledged nodes."""
    dead = threading.Event()
    with serving(directory) as served:
        transport = GrpcTransport(served.address, retry=False)
        with closing(transport), ThreadPoolExecutor(writers) as pool:
            put_types(transport)
            writing = [
                pool.submit(write_until_killed, transport, f"{prefix}-{i}", dead)
                for i in range(writers)
            ]
            time.sleep(random.uniform(0.3, 1.0))
            served.process.kill()
            served.process.wait()
            dead.set()
            return merged([future.result() for future in writing])


def test_kill_under_load(tmp_path):
    writers = 8
    acknowledged: dict[str, int] = {}
    for round_number in range(KILLS):
        acknowledged |= kill_under_load(tmp_path, writers, f"k{round_number}")
        stored = Stored(tmp_path / "store.db")
        stored_ids = {node.name: node.id for node in stored.executions}
        assert acknowledged.items() <= stored_ids.items()
        # A step whose answer was lost may be there, but only one of each writer.
        assert len(stored_ids) <= len(acknowledged) + writers * (round_number + 1)
        stored.check_whole_steps()
    assert len(acknowledged) > KILLS
