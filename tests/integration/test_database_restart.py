"""PostgreSQL is killed under load and started again: nothing that was acknowledged is lost."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from lineage_store import errors
from lineage_store.engine import Engine
from lineage_store.v1 import metadata_service_pb2 as service
from tests.backends import postgresql

WRITERS, KILLS = 8, 2


def put(engine, type_id, name):
    request = service.PutArtifactsRequest()
    request.artifacts.add(type_id=type_id, name=name)
    return engine.call("PutArtifacts", request).artifact_ids[0]


def write_until(stopped, engine, type_id, who):
    """Put artifacts one by one; one whose fate is unknown is put again under its name."""
    acknowledged, failures = [], 0
    while not stopped.is_set():
        name = f"{who}-{len(acknowledged)}"
        try:
            put(engine, type_id, name)
        except errors.AlreadyExists:
            pass  # it was written before the connection was lost
        except errors.Unavailable:
            failures += 1
            time.sleep(0.05)
            continue
        acknowledged.append(name)
    return acknowledged, failures


@pytest.mark.timeout(120)
def test_a_crash_under_load_loses_nothing_acknowledged():
    stopped = threading.Event()
    with postgresql.new_store() as url, closing(Engine(url)) as engine:
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
            results = [writer.result() for writer in writers]
        acknowledged = [name for names, _ in results for name in names]
        answer = engine.call("GetArtifacts", service.GetArtifactsRequest())
        stored = [node.name for node in service.GetArtifactsResponse.FromString(answer).artifacts]
    print(f"{len(acknowledged)} acknowledged, {sum(f for _, f in results)} failed and repeated")
    assert len(stored) == len(set(stored))
    assert set(acknowledged) <= set(stored)
    assert sum(failures for _, failures in results) > 0
