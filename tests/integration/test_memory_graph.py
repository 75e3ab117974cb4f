"""The graph in memory shows the nodes in the snapshot of a query, no more and no less."""

import logging
import random
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from functools import partial

import pytest

from lineage_store import errors
from lineage_store.database import ids
from lineage_store.engine import Engine
from lineage_store.engine.lineage import adjacency
from lineage_store.limits import Limits, LineageLimits
from lineage_store.lineage.rules import BIDIRECTIONAL, DOWNSTREAM, UPSTREAM
from tests.backends import galera, mariadb, postgresql
from tests.integration.memory_graphs import (
    assert_same,
    fill,
    from_memory,
    put,
    shuffled_events,
    subgraph,
)

PATIENT = Limits(patience_seconds=60)
WITHOUT = Limits(lineage=LineageLimits(max_graph_bytes=0))


SERVERS = 3


@pytest.fixture(params=["sqlite", "postgresql", "mariadb", "galera"])
def urls(request, tmp_path):
    """The way of each of three servers to one store; in a cluster, each by a node of its own."""
    if request.param == "sqlite":
        yield [f"sqlite:///{tmp_path}/store.db"] * SERVERS
        return
    backend = {"postgresql": postgresql, "mariadb": mariadb, "galera": galera}[request.param]
    with backend.new_store() as url:
        if backend is galera:
            name = url.rpartition("/")[2]
            yield [galera.shared().url(name, first=at) for at in range(SERVERS)]
        else:
            yield [url] * SERVERS


@pytest.fixture
def engine(tmp_path):
    """One on a file, with 200 events in the arrays."""
    with closing(Engine(f"sqlite:///{tmp_path}/store.db")) as engine:
        fill(engine)
        put(engine, shuffled_events(1)[:200])
        engine.load_graph(wait=True)
        yield engine


def read(engine, job):
    return engine._database.read(job)


def is_in_memory(engine) -> bool:
    return read(engine, partial(from_memory, engine)) is not None


def test_servers_that_take_turns_see_each_others_events(urls, monkeypatch):
    """Each has a block of ids of its own; the graph of none misses an event of another."""
    monkeypatch.setattr(ids, "BLOCK", 50)  # so that blocks are used up, too
    choice = random.Random(5)
    events = shuffled_events(5)[:600]
    with ExitStack() as stack:
        servers = [stack.enter_context(closing(Engine(url))) for url in urls]
        plain = stack.enter_context(closing(Engine(urls[0], WITHOUT)))
        fill(servers[0])
        for server in servers:
            server.load_graph(wait=True)
        while events:
            count = choice.choice((1, 2, 3, 60))
            put(choice.choice(servers), events[:count])
            events = events[count:]
            asking = choice.choice(servers)
            start = choice.randint(1, 60)
            direction = choice.choice((UPSTREAM, DOWNSTREAM, BIDIRECTIONAL))
            assert subgraph(asking, start, direction) == subgraph(plain, start, direction)
        assert all(is_in_memory(server) for server in servers)
        for server in servers:
            assert read(server, partial(assert_same, server))


def test_a_snapshot_from_before_does_not_show_what_came_after(engine):
    events = shuffled_events(1)

    def look(snapshot):
        before = from_memory(engine, snapshot)
        put(engine, events[200:300])
        assert len(subgraph(engine, 1, BIDIRECTIONAL)[2]) > 0  # which takes the new ones in
        assert from_memory(engine, snapshot).view.count == before.view.count == 200
        assert assert_same(engine, snapshot)
        engine.load_graph(wait=True)  # from here on, the arrays have more than the snapshot
        assert from_memory(engine, snapshot) is None

    read(engine, look)
    assert is_in_memory(engine)


def test_a_view_stays_the_same_while_events_come_in(engine):
    events = shuffled_events(1)
    put(engine, events[200:250])

    def look(snapshot):
        view = from_memory(engine, snapshot).view
        put(engine, events[250:400])
        subgraph(engine, 1, BIDIRECTIONAL)
        assert view.count == 250
        return assert_same(engine, snapshot)

    assert read(engine, look)


@pytest.mark.long
def test_readers_and_writers_of_several_servers(urls, monkeypatch):
    monkeypatch.setattr(adjacency, "MIN_TAIL", 20)  # so that arrays are made all the time
    monkeypatch.setattr(adjacency, "CHUNK", 100)
    events = shuffled_events(9)[:1_000]
    with ExitStack() as stack:
        servers = [stack.enter_context(closing(Engine(url, PATIENT))) for url in urls]
        fill(servers[0])
        for server in servers:
            server.load_graph(wait=True)
        stop = threading.Event()

        def write(of: int) -> None:
            for at in range(of, len(events), 20):
                put(servers[of % SERVERS], events[at : at + 1])

        def ask(of: int) -> int:
            answer_count = 0
            while not stop.is_set():
                server = servers[of % SERVERS]
                answer_count += read(server, partial(assert_same, server))
            return answer_count

        with ThreadPoolExecutor(24) as pool:
            readers = [pool.submit(ask, of) for of in range(SERVERS)]
            list(pool.map(write, range(20)))
            stop.set()
            assert all(reader.result() > 0 for reader in readers)
        for server in servers:
            server._adjacency.wait()
            assert read(server, partial(assert_same, server))
            server.load_graph(wait=True)
            assert len(server._adjacency._graph.columns.types) == len(events)


def test_what_is_far_behind_is_read_in_the_background(engine, monkeypatch):
    monkeypatch.setattr(adjacency, "INLINE", 10)
    with closing(Engine(f"sqlite:///{engine._database._driver.path}", WITHOUT)) as plain:
        put(plain, shuffled_events(1)[200:300])
        expected = subgraph(plain, 1, BIDIRECTIONAL)
    assert not is_in_memory(engine)
    assert subgraph(engine, 1, BIDIRECTIONAL) == expected
    engine._adjacency.wait()
    assert is_in_memory(engine)
    assert subgraph(engine, 1, BIDIRECTIONAL) == expected


def test_a_process_that_asks_little_keeps_no_graph(tmp_path):
    with closing(Engine(f"sqlite:///{tmp_path}/store.db")) as engine:
        fill(engine)
        put(engine, shuffled_events(1)[:100])
        for _ in range(adjacency.QUERIES_BEFORE_LOADING):
            assert not is_in_memory(engine)
            subgraph(engine, 1, UPSTREAM)
        engine._adjacency.wait()
        assert is_in_memory(engine)


@pytest.mark.parametrize("bound", [1, 2_000, 5_000])
def test_a_graph_that_is_too_large_is_left_to_the_database(tmp_path, bound, caplog):
    """It is too large before it is read, while it is read, or because it grew."""
    limits = Limits(lineage=LineageLimits(max_graph_bytes=bound))
    events = shuffled_events(1)
    with closing(Engine(f"sqlite:///{tmp_path}/store.db", limits)) as engine:
        fill(engine)
        put(engine, events[:60])
        engine.load_graph(wait=True)
        assert is_in_memory(engine) == (bound == 5_000)
        put(engine, events[60:200])
        for _ in range(3):
            engine.load_graph(wait=True)
        assert not is_in_memory(engine)
        assert subgraph(engine, 1, BIDIRECTIONAL)[2]
    assert [record.levelname for record in caplog.records].count("WARNING") == 1


def test_a_graph_of_no_bytes_is_never_read(tmp_path):
    with closing(Engine(f"sqlite:///{tmp_path}/store.db", WITHOUT)) as engine:
        fill(engine)
        engine.load_graph(wait=True)
        assert not is_in_memory(engine)


@pytest.mark.parametrize("new_id", [200, 201, 1001])
def test_events_that_were_replaced_are_read_again(engine, caplog, new_id):
    """A database that was restored under a running server, and written to since."""
    put(engine, shuffled_events(1)[200:201])
    assert read(engine, partial(assert_same, engine))
    change = "UPDATE events SET recorded_at = 1, id = ? WHERE id = 150"
    with closing(sqlite3.connect(engine._database._driver.path)) as connection, connection:
        connection.execute("DELETE FROM events WHERE id > 150")
        connection.execute(change, (new_id,))
    assert not is_in_memory(engine)
    assert "reading them again" in caplog.text
    engine._adjacency.wait()
    assert read(engine, partial(assert_same, engine))


def test_an_event_that_came_out_of_order_is_found_by_counting(engine, caplog):
    """A server of a version before may still give out ids of a block that is not the newest."""
    path = engine._database._driver.path
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE events SET id = 2000 WHERE id = 200")
        connection.execute("UPDATE events SET id = 2001 WHERE id = 100")
    engine._adjacency._graph = None
    engine.load_graph(wait=True)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "INSERT INTO events SELECT 100, artifact_id, execution_id, 5, happened_at, recorded_at,"
            " body, path FROM events WHERE id = 2001"
        )
    assert is_in_memory(engine)  # which nothing tells from a graph that is complete
    engine._adjacency._audit_at = 0.0
    assert is_in_memory(engine)
    engine._adjacency.wait()
    assert "out of order" in caplog.text
    assert read(engine, partial(assert_same, engine))
    assert len(engine._adjacency._graph.columns.types) == 201


def test_a_count_that_is_right_changes_nothing(engine):
    put(engine, shuffled_events(1)[200:210])
    before = engine._adjacency._graph
    engine._adjacency._audit_at = 0.0
    assert is_in_memory(engine)
    engine._adjacency.wait()
    assert engine._adjacency._graph is before


def test_a_database_that_is_away_is_asked_again_later(engine, monkeypatch, caplog):
    caplog.set_level(logging.INFO)

    def fail(*_):
        raise errors.Unavailable("the database is away")

    put(engine, shuffled_events(1)[200:220])
    with monkeypatch.context() as away:
        away.setattr(adjacency, "events_from", fail)
        engine.load_graph(wait=True)
    assert "the database is away" in caplog.text
    assert is_in_memory(engine)  # what was read before is as good as ever
    engine.load_graph(wait=True)
    assert len(engine._adjacency._graph.columns.types) == 200  # it was not asked
    engine._adjacency._not_before = 0.0
    engine.load_graph(wait=True)
    assert len(engine._adjacency._graph.columns.types) == 220


def test_a_store_closes_while_its_graph_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(adjacency, "CHUNK", 1)
    engine = Engine(f"sqlite:///{tmp_path}/store.db")
    fill(engine)
    put(engine, shuffled_events(1)[:500])
    engine.load_graph()
    engine.close()
    assert "lineage" not in {thread.name for thread in threading.enumerate()}
    assert engine._adjacency._graph is None
