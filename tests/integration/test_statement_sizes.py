"""MariaDB with the packet that it has by default, and less: nothing larger is ever sent."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import pytest

from lineage_store import errors
from lineage_store.database.drivers import mysql_statements
from lineage_store.engine import Engine
from lineage_store.limits import Limits, NodeBound
from lineage_store.v1 import metadata_pb2 as pb
from lineage_store.v1 import metadata_service_pb2 as service
from tests.backends import mariadb
from tests.backends.proxy import proxy

MIB = 1024 * 1024
MB = 1_000_000
LARGE_NODES = Limits(nodes=NodeBound(400 * MB, "a test"))


@contextmanager
def store(packet: int) -> Iterator[str]:
    """Give a new store on a server that takes packets of so many bytes."""
    with mariadb.new_store() as url, mariadb.taking_packets(packet):
        yield url


@pytest.fixture(params=[1, 16])
def packet(request) -> int:
    return request.param * MIB


@pytest.fixture
def engine(packet) -> Iterator[Engine]:
    with store(packet) as url, closing(Engine(url)) as opened:
        yield opened


def put_type(engine: Engine) -> int:
    request = service.PutExecutionTypeRequest(execution_type=pb.ExecutionType(name="E"))
    return int(engine.call("PutExecutionType", request).type_id)


def put(engine: Engine, type_id: int, size: int, count: int = 1, character: str = "y") -> list[int]:
    request = service.PutExecutionsRequest()
    for _ in range(count):
        node = request.executions.add(type_id=type_id)
        node.custom_properties["c"].string_value = character * size
    return list(engine.call("PutExecutions", request).execution_ids)


def sizes(engine: Engine, ids: list[int]) -> list[int]:
    request = service.GetExecutionsByIDRequest(execution_ids=ids)
    answer = service.GetExecutionsByIDResponse.FromString(engine.call("GetExecutionsByID", request))
    return [len(node.custom_properties["c"].string_value) for node in answer.executions]


def matching(engine: Engine, text: str) -> list[int]:
    """Return the first executions for which a filter holds."""
    options = pb.ListOperationOptions(max_result_size=2, filter_query=text)
    request = service.GetExecutionsRequest(options=options)
    answer = service.GetExecutionsResponse.FromString(engine.call("GetExecutions", request))
    return [node.id for node in answer.executions]


@pytest.mark.parametrize("character", ["y", "'"])
@pytest.mark.parametrize(("share", "count"), [(0.7, 1), (0.51, 1), (0.03, 40), (0.0006, 1000)])
def test_what_fits_one_by_one_is_stored_together(engine, packet, share, count, character):
    size = min(int(share * packet), 11_900_000)
    ids = put(engine, put_type(engine), size, count, character)
    assert sizes(engine, ids) == [size] * count
    assert len(matching(engine, "custom_properties.c.string_value != 'x'")) == min(2, count)


def test_a_node_is_bounded_by_what_a_packet_surely_holds(engine, packet):
    type_id = put_type(engine)
    with pytest.raises(errors.InvalidArgument) as caught:
        put(engine, type_id, packet)
    bound = min(12 * MB, mysql_statements.max_row_bytes(packet))
    assert f"the store takes {bound}" in str(caught.value)
    assert "executions[0] has 1" in str(caught.value)
    assert "custom_properties['c']" in str(caught.value)


def test_only_the_request_to_blame_fails():
    """Even if a row is found too large only when it is rendered."""
    with store(16 * MIB) as url, closing(Engine(url, LARGE_NODES)) as engine:
        type_id = put_type(engine)
        engine._database._writer._node_bound = NodeBound(400 * MB, "a test")
        with ThreadPoolExecutor(8) as pool:
            blocked = [pool.submit(put, engine, type_id, 2 * MB) for _ in range(3)]
            large = pool.submit(put, engine, type_id, 17 * MB)
            others = [*blocked, *(pool.submit(put, engine, type_id, 10) for _ in range(20))]
            ids = [future.result()[0] for future in others]
            with pytest.raises(errors.InvalidArgument) as caught:
                large.result()
        assert "a row of executions has 170000" in str(caught.value)
        assert f"max_allowed_packet is {16 * MIB}" in str(caught.value)
        assert len(set(sizes(engine, ids))) == 2


@pytest.mark.long
def test_small_writers_go_on_beside_a_large_one(engine, packet):
    type_id = put_type(engine)
    stop = threading.Event()

    def write_large() -> int:
        count = 0
        while not stop.is_set():
            count += len(put(engine, type_id, packet // 32, 40))
        return count

    with ThreadPoolExecutor(4) as pool:
        large = pool.submit(write_large)
        ids = [put(engine, type_id, 10)[0] for _ in range(20)]
        stop.set()
        assert large.result() >= 40
    assert sizes(engine, ids) == [10] * 20


def test_a_look_up_that_is_larger_than_a_packet_is_refused(engine, packet):
    request = service.GetExecutionsByExternalIdsRequest(external_ids=["x" * packet])
    with pytest.raises(errors.InvalidArgument, match="max_allowed_packet"):
        engine.call("GetExecutionsByExternalIds", request)
    request = service.GetExecutionsByExternalIdsRequest(
        external_ids=[str(i % 10) * (packet // 8) for i in range(20)]
    )
    with pytest.raises(errors.NotFound):
        engine.call("GetExecutionsByExternalIds", request)


def test_the_longest_filters_are_answered():
    with store(16 * MIB) as url, closing(Engine(url)) as engine:
        [node_id] = put(engine, put_type(engine), 10)
        many = ", ".join(f"'{i}'" for i in range(40_000))
        assert matching(engine, f"id = {node_id} AND name NOT IN ({many}) OR id = {node_id}")
        quoted = "\U0001f600" * 499_000
        assert not matching(engine, f"custom_properties.c.string_value = '{quoted}'")


def test_a_connection_that_a_large_statement_loses_is_no_outage():
    """A proxy may take less than the server says; small requests are not to suffer from it."""
    with store(16 * MIB) as url, proxy(mariadb.port(), 2 * MIB) as (port, cut):
        through = url.replace(f":{mariadb.port()}/", f":{port}/")
        with closing(Engine(through, Limits(patience_seconds=30))) as engine:
            type_id = put_type(engine)
            start = time.monotonic()
            with ThreadPoolExecutor(8) as pool:
                large = pool.submit(put, engine, type_id, 3 * MB)
                others = [pool.submit(put, engine, type_id, 10) for _ in range(30)]
                with pytest.raises(errors.InvalidArgument, match="lost during a statement of 3"):
                    large.result()
                ids = [future.result()[0] for future in others]
            assert time.monotonic() - start < 20
            assert sizes(engine, ids) == [10] * 30
            assert len(cut) in {2, 3}
