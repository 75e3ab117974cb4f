"""Several servers on one database, whose clients create the same things at once: one of each."""

import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from random import Random

import pytest

from lineage_store import errors
from lineage_store.engine import Engine
from lineage_store.limits import Limits
from lineage_store.v1 import metadata_service_pb2 as service
from tests.backends import galera, mariadb, postgresql

pytestmark = pytest.mark.long

SERVERS, CLIENTS = 4, 16
THINGS = int(os.environ.get("LINEAGE_RACED_THINGS", "40"))
PATIENT = Limits(patience_seconds=30)


@contextmanager
def on_sqlite(path):
    yield [f"sqlite:///{path}/store.db"] * SERVERS


@contextmanager
def on_postgresql(path):
    with postgresql.new_store() as url:
        yield [url] * SERVERS


@contextmanager
def on_mariadb(path):
    with mariadb.new_store() as url:
        yield [url] * SERVERS


@contextmanager
def on_galera(path):
    """Each server begins with a node of its own."""
    with galera.new_store() as url:
        name = url.rpartition("/")[2]
        yield [galera.shared().url(name, first=i % galera.NODES) for i in range(SERVERS)]


@pytest.fixture(
    params=[on_sqlite, on_postgresql, on_mariadb, on_galera], ids=lambda way: way.__name__
)
def engines(request, tmp_path):
    with ExitStack() as stack:
        urls = stack.enter_context(request.param(tmp_path))
        yield [stack.enter_context(closing(Engine(url, PATIENT))) for url in urls]


def put_type(engine, number):
    request = service.PutArtifactTypeRequest()
    request.artifact_type.name = f"T{number}"
    return engine.call("PutArtifactType", request).type_id


def put_artifact(engine, type_id, **unique):
    """Put an artifact; return its id, or None if another client was faster."""
    request = service.PutArtifactsRequest()
    request.artifacts.add(type_id=type_id, **unique)
    try:
        return engine.call("PutArtifacts", request).artifact_ids[0]
    except errors.AlreadyExists:
        return None


def client(engine, seed):
    """Create everything, in an order of its own."""
    order = list(range(THINGS))
    Random(seed).shuffle(order)
    things = []
    for number in order:
        type_id = put_type(engine, number)
        things.append(("type", number, type_id))
        things.append(("name", number, put_artifact(engine, type_id, name="same")))
        external = {"external_id": f"x{number}"}
        things.append(("external id", number, put_artifact(engine, type_id, **external)))
    return things


def test_there_is_exactly_one_of_each(engines):
    with ThreadPoolExecutor(SERVERS * CLIENTS) as pool:
        clients = [pool.submit(client, engines[i % SERVERS], i) for i in range(SERVERS * CLIENTS)]
        things = [thing for one in clients for thing in one.result()]
    ids = {}
    for kind, number, node_id in things:
        if node_id is not None:
            ids.setdefault((kind, number), []).append(node_id)
    assert len(ids) == 3 * THINGS
    types = [node_ids for (kind, _), node_ids in ids.items() if kind == "type"]
    assert all(len(set(node_ids)) == 1 for node_ids in types)
    others = [node_ids for (kind, _), node_ids in ids.items() if kind != "type"]
    assert [len(node_ids) for node_ids in others] == [1] * (2 * THINGS)
    answer = engines[0].call("GetArtifacts", service.GetArtifactsRequest())
    stored = service.GetArtifactsResponse.FromString(answer).artifacts
    assert sorted(node.id for node in stored) == sorted(node_ids[0] for node_ids in others)
    assert set(Counter(node.external_id for node in stored if node.external_id).values()) == {1}
