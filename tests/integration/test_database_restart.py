"""PostgreSQL is killed under load and started again: no call fails, nothing is lost or doubled."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from lineage_store.engine import Engine
from lineage_store.limits import Limits
from lineage_store.v1 import metadata_service_pb2 as service
from tests.backends import postgresql

pytestmark = pytest.mark.long

WRITERS, KILLS = 8, 2


def put(engine, type_id, name):
    request = service.PutArtifactsRequest()
    request.artifacts.add(type_id=type_id, name=name)
    return engine.call("PutArtifacts", request).artifact_ids[0]


def write_until(stopped, engine, type_id, who):
    """Put artifacts one by one; a name that was written twice would be ALREADY_EXISTS."""
    acknowledged = []
    while not stopped.is_set():
        name = f"{who}-{len(acknowledged)}"
        put(engine, type_id, name)
        acknowledged.append(name)
    return acknowledged


@pytest.mark.timeout(120)
def test_crashes_under_load_fail_no_call_and_lose_nothing():
    stopped = threading.Event()
    patient = Limits(patience_seconds=30)
    with postgresql.new_store() as url, closing(Engine(url, patient)) as engine:
        request = service.PutArtifactTypeRequest()
        request.artifact_type.name = "A"
        type_id = engine.call("PutArtifactType", request).type_id
        with ThreadPoolExecutor(WRITERS) as pool:
            writers = [
                pool.submit(write_until, stopped, engine, type_id, f"w{i}") for i in range(WRITERS)
            ]
            for _ in range(KILLS):
                time.sleep(1)
                postgresql.crash()
            time.sleep(1)
            stopped.set()
            acknowledged = [name for writer in writers for name in writer.result()]
        answer = engine.call("GetArtifacts", service.GetArtifactsRequest())
        stored = [node.name for node in service.GetArtifactsResponse.FromString(answer).artifacts]
    print(f"{len(acknowledged)} acknowledged through {KILLS} crashes")
    assert sorted(acknowledged) == sorted(stored)
    assert len(acknowledged) > WRITERS
