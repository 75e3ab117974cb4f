"""A cache call takes as many SQL statements for one key as for a thousand; and their plans."""

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from sqlalchemy.dialects import mysql, postgresql

from lineage_store.database.queries import cache_listing
from lineage_store.database.queries import execution_fingerprints as fingerprints
from lineage_store.database.staging import cache_entries
from lineage_store.engine import Engine
from lineage_store.v1 import cache_pb2
from lineage_store.v1 import metadata_pb2 as pb
from tests.unit.test_database_statements import counted, kinds

MANY = 1_000


def digest(at: int) -> bytes:
    return hashlib.sha256(b"%d" % at).digest()


def step(at: int) -> cache_pb2.Step:
    """Return a step with an input, an output and a context, which publishes."""
    request = cache_pb2.Step(key=f"step {at}", create_types=True)
    request.execution.type, request.execution.last_known_state = "E", pb.Execution.COMPLETE
    request.execution.custom_properties["cache_fingerprint"].string_value = f"f{at}"
    request.inputs.add(name="in", artifact=pb.Artifact(type="A", external_id="shared"))
    request.outputs.add(name="out", artifact=pb.Artifact(type="A", uri=f"u{at}"))
    request.contexts.add(type="C", name="run")
    request.cache.digest = digest(at)
    request.cache.components.add(name="step", value='"E"')
    return request


@pytest.fixture(scope="module")
def engine(tmp_path_factory) -> Iterator[Engine]:
    """A store with MANY published steps."""
    directory = tmp_path_factory.mktemp("store")
    with closing(Engine(f"sqlite:///{directory}/store.db")) as engine:
        request = cache_pb2.RecordStepsRequest(steps=map(step, range(MANY)))
        results = engine.call("RecordSteps", request).results
        assert all(result.HasField("recorded") for result in results)
        yield engine


def lookup(engine: Engine, keys: list[cache_pb2.CacheKey], holder: str = "") -> tuple[dict, list]:
    """Return the statements of a lookup, and the outcomes."""
    request = cache_pb2.LookupRequest(keys=keys)
    if holder:
        request.claim.holder = holder
    with counted() as texts:
        results = engine.call("Lookup", request).results
    return kinds(texts), [result.WhichOneof("outcome") for result in results]


def digests(numbers) -> list[cache_pb2.CacheKey]:
    return [cache_pb2.CacheKey(digest=digest(at)) for at in numbers]


READS = {
    "SELECT cache_entries": 1,
    "SELECT executions": 1,
    "SELECT events": 1,
    "SELECT artifacts": 1,
    "SELECT artifact_reports": 1,
}


@pytest.mark.parametrize("count", [1, MANY])
def test_a_lookup(engine, count):
    statements, outcomes = lookup(engine, digests(range(count)))
    assert outcomes == ["hit"] * count
    assert statements == READS


@pytest.mark.parametrize("count", [1, MANY])
def test_a_lookup_that_takes_claims(engine, count):
    keys = digests([*range(count), *range(-count, 0)])
    statements, outcomes = lookup(engine, keys, holder=f"of {count}")
    assert outcomes[:count] == ["hit"] * count
    assert set(outcomes[count:]) <= {"miss", "in_flight"}
    inserts = statements.pop("INSERT cache_claims")
    assert inserts <= 2  # an insert has at most 500 rows
    assert statements == READS | {"SELECT cache_claims": 1}


@pytest.mark.parametrize("count", [1, MANY])
def test_a_lookup_of_fingerprints(engine, count):
    keys = [cache_pb2.CacheKey(fingerprint=f"f{at}") for at in range(count)]
    statements, outcomes = lookup(engine, keys)
    assert outcomes == ["hit"] * count
    del statements["SELECT artifact_reports"], statements["SELECT artifacts"]
    assert sum(statements.values()) == 4  # by property, by context; executions, events


def test_a_key_with_a_long_history_is_looked_up_like_any_other(engine):
    many = [step(10_000 + at) for at in range(100)]
    for one in many:
        one.cache.digest = digest(10_000)
    engine.call("RecordSteps", cache_pb2.RecordStepsRequest(steps=many))
    statements, outcomes = lookup(engine, digests([10_000]))
    assert (statements, outcomes) == (READS, ["hit"])


def test_steps_are_looked_up_together(engine):
    def recorded(first: int, count: int) -> dict:
        steps = [step(first + at) for at in range(count)]
        with counted() as texts:
            results = engine.call("RecordSteps", cache_pb2.RecordStepsRequest(steps=steps)).results
        assert all(result.HasField("recorded") for result in results)
        return {k: n for k, n in kinds(texts).items() if k.startswith("SELECT")}

    recorded(30_000, 1)  # the types are known from here on
    assert recorded(31_000, 1) == recorded(32_000, MANY)


def test_a_step_is_recorded_with_one_insert_for_each_table(engine):
    with counted() as texts:
        engine.call("RecordStep", cache_pb2.RecordStepRequest(step=step(20_000)))
    inserts = {k: n for k, n in kinds(texts).items() if k.startswith("INSERT")}
    assert set(inserts.values()) == {1}
    assert "INSERT cache_entries" in inserts


def recorded_hit(engine: Engine, entry_id: int, name: str, copies: int = 0) -> dict:
    """Return the queries of recording a hit, but for those of the index that is written behind."""
    request = cache_pb2.RecordCachedRequest(entry_id=entry_id)
    request.step.key, request.step.execution.type = name, "E"
    request.step.create_types = True
    for at in range(copies):
        artifact = pb.Artifact(type="A", uri=f"{name}{at}", external_id=f"{name}{at}")
        request.copies.add(name="out", artifact=artifact)
    with counted() as texts:
        engine.call("RecordCached", request)
    statements = kinds([text for text in texts if text.startswith("SELECT")])
    return {kind: count for kind, count in statements.items() if "index_queue" not in kind}


def test_a_hit_is_recorded_with_few_statements(tmp_path):
    with closing(Engine(f"sqlite:///{tmp_path}/store.db")) as engine:
        request = cache_pb2.RecordStepRequest(step=step(1))
        entry_id = engine.call("RecordStep", request).entry_id
        recorded_hit(engine, entry_id, "first", 1)  # the types are known from here on
        plain = recorded_hit(engine, entry_id, "plain")
        assert plain == {
            "SELECT cache_entries": 1,
            "SELECT executions": 2,
            "SELECT cache_hits": 1,
            "SELECT events": 1,
            "SELECT artifacts": 2,
        }
        # One more, whether the copy is known.
        assert recorded_hit(engine, entry_id, "copied", 1) == plain | {"SELECT artifacts": 3}


def test_a_wait_looks_with_one_or_two_statements(engine):
    request = cache_pb2.WaitRequest(digests=[digest(at) for at in range(MANY)])
    with counted() as texts:
        answers = [part for part in engine.stream("Wait", request) if part]
    assert len(answers) == MANY
    assert kinds(texts) == {"SELECT cache_claims": 1, "SELECT cache_entries": 1}


def plan(engine: Engine, statement, **values) -> list[str]:
    text, arguments = statement.render(engine._database._driver.dialect, values)
    with closing(sqlite3.connect(engine._database._driver.path)) as connection:
        rows = connection.execute(f"EXPLAIN QUERY PLAN {text}", arguments).fetchall()
    return [row[3] for row in rows]


def test_entries_are_found_through_the_index_of_their_keys(engine):
    [(statement, values)] = cache_entries._NEWEST.chunks([digest(1), digest(2)])
    lines = plan(engine, statement, in_scope="", most=8, **values)
    assert any("ix_cache_entries_key" in line for line in lines)
    assert not any(line.startswith("SCAN cache_entries") for line in lines)


def test_fingerprints_are_found_through_indexes(engine):
    [(statement, values)] = fingerprints._BY_PROPERTY.chunks(["f1", "f2"])
    lines = plan(engine, statement, property_name="cache_fingerprint", most=8, **values)
    assert any("ix_execution_properties_string_value" in line for line in lines)
    [(statement, values)] = fingerprints._BY_CONTEXT.chunks(["f1", "f2"])
    lines = plan(engine, statement, kind_number=2, type_name="t", most=8, **values)
    assert any("ix_contexts_name" in line for line in lines)
    assert not any(line.startswith(("SCAN contexts", "SCAN executions")) for line in lines)


@pytest.mark.parametrize("of_component", [True, False])
def test_entries_are_listed_in_the_order_of_an_index(engine, of_component):
    flags = {"before_time": False, "with_invalidated": True, "older": True}
    statement = cache_listing._page(in_scope=not of_component, of_component=of_component, **flags)
    values = {"in_scope": "", "component": 1, "before_id": 5, "most": 10}
    assert not any("TEMP B-TREE" in line for line in plan(engine, statement, **values))


@pytest.mark.parametrize("dialect", [postgresql.dialect(), mysql.dialect()], ids=lambda d: d.name)
def test_the_statements_compile_for_other_databases(dialect):
    lists = {
        cache_entries._NEWEST: {"in_scope": "", "most": 8},
        cache_entries._COUNT_HITS: {"more": 1, "moment": 1},
        cache_entries._INVALIDATE: {"moment": 1, "who": "", "reason": "", "stamp": 1},
        fingerprints._BY_PROPERTY: {"property_name": "", "most": 8},
        fingerprints._BY_CONTEXT: {"kind_number": 2, "type_name": "", "most": 8},
    }
    for statement, values in lists.items():
        [(part, arguments)] = statement.chunks(["a", "b"])
        assert part.render(dialect, arguments | values)[0]
    counts = cache_listing._entry_counts(in_scope=True)
    assert "count" in counts.render(dialect, {"now": 1, "in_scope": ""})[0]
