"""The SQL for servers holds nothing that a distributed engine lacks.

CockroachDB and YugabyteDB speak PostgreSQL's SQL, TiDB speaks MySQL's; none of them runs here. No
statement of the store has a feature that they lack or warn of, and that the store can do without.
"""

import re
from collections.abc import Iterator
from contextlib import closing

import pytest
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlalchemy_cockroachdb import psycopg as cockroach

from lineage_store.database import tables
from lineage_store.database.upkeep import property_indexer as indexing
from lineage_store.engine import Engine
from lineage_store.v1 import cache_pb2, lineage_pb2
from lineage_store.v1 import metadata_pb2 as pb
from lineage_store.v1 import metadata_service_pb2 as service
from tests.backends import mariadb
from tests.backends import postgresql as postgresql_server
from tests.statements import observed_statements

LACKING = [
    *(r"\bSAVEPOINT\b", r"\bSKIP LOCKED\b", r"\bNOWAIT\b", r"\bDEFERRABLE\b", r"\bTRIGGER\b"),
    *(r"\bPROCEDURE\b", r"\bFOREIGN KEY\b", r"\bREFERENCES\b", r"\bTEMP(ORARY)? TABLE\b"),
    *(r"\bSERIAL\b", r"\bBIGSERIAL\b", r"\bAUTO_INCREMENT\b", r"\bSEQUENCE\b", r"\bIDENTITY\b"),
    *(r"\bnextval\b", r"\bLAST_INSERT_ID\b", r"\bGET_LOCK\b", r"\bpg_advisory", r"\bLOCK TABLE\b"),
    *(r"\bOFFSET\b", r"\bLISTEN\b", r"\bNOTIFY\b", r"\bCURSOR\b", r"\bLOCK IN SHARE MODE\b"),
    *(r"\bctid\b", r"\bxmin\b", r"\bFOR SHARE\b", r"\bMERGE INTO\b"),
]


def lacking(text: str) -> list[str]:
    bare = re.sub(r"'[^']*'", "''", text)
    return [word for word in LACKING if re.search(word, bare, re.IGNORECASE)]


def test_what_is_lacking_is_found():
    assert lacking("SELECT nextval('x') FOR UPDATE SKIP LOCKED") == [
        r"\bSKIP LOCKED\b",
        r"\bnextval\b",
    ]
    assert lacking("SELECT 'OFFSET'") == []


DIALECTS = [postgresql.dialect(), mysql.dialect(), cockroach.CockroachDBDialect_psycopg()]


def test_every_table_has_a_key_and_is_plain():
    for table in tables.metadata.tables.values():
        assert table.primary_key.columns, table.name
        assert not table.foreign_keys
        for dialect in DIALECTS:
            for part in (CreateTable(table), *map(CreateIndex, table.indexes)):
                assert lacking(str(part.compile(dialect=dialect))) == [], table.name


@pytest.fixture(params=[postgresql_server, mariadb], ids=["postgresql", "mariadb"])
def engine(request, monkeypatch) -> Iterator[Engine]:
    monkeypatch.setattr(indexing, "IDLE_SECONDS", 3600)  # no statement from behind
    with request.param.new_store() as url, closing(Engine(url)) as engine:
        yield engine


def put_everything(engine: Engine) -> None:
    """Write a bit of all that a store holds, and update it."""
    for kind in ("artifact", "execution", "context"):
        message = getattr(pb, f"{kind.title()}Type")(name="T")
        message.properties["p"] = pb.INT
        put = getattr(service, f"Put{kind.title()}TypeRequest")(**{f"{kind}_type": message})
        engine.call(f"Put{kind.title()}Type", put)
    step = cache_pb2.Step(key="s", create_types=True)
    step.execution.type, step.execution.last_known_state = "E", pb.Execution.COMPLETE
    step.cache.digest = bytes(32)
    engine.call("RecordStep", cache_pb2.RecordStepRequest(step=step))
    step = service.PutExecutionRequest(execution=pb.Execution(type_id=11))
    pair = step.artifact_event_pairs.add(artifact=pb.Artifact(type_id=10, uri="u"))
    pair.artifact.properties["p"].int_value = 1
    pair.event.type = pb.Event.OUTPUT
    step.contexts.add(type_id=12, name="c")
    [artifact] = engine.call("PutExecution", step).artifact_ids
    update = service.PutArtifactsRequest(artifacts=[pb.Artifact(id=artifact, uri="v")])
    engine.call("PutArtifacts", update)


def read_everything(engine: Engine) -> None:
    """Read in all ways that have statements of their own."""
    listing = service.GetArtifactsRequest()
    listing.options.filter_query = "uri = 'v' AND contexts_a.name LIKE '%c%' OR id IN (1, 2)"
    engine.call("GetArtifacts", listing)
    walk = lineage_pb2.Walk()
    walk.start.kind = lineage_pb2.ARTIFACT
    walk.start.ids.ids.append(1)
    list(engine.stream("Trace", lineage_pb2.TraceRequest(walk=walk)))
    engine.call("Summarize", lineage_pb2.SummarizeRequest(walk=walk))


def test_every_statement_of_a_day_is_plain(engine):
    with observed_statements() as texts:
        put_everything(engine)
        read_everything(engine)
    assert len(texts) > 30
    assert {text: gaps for text in texts if (gaps := lacking(text))} == {}


@pytest.mark.parametrize("count", [1, 1000])
def test_a_batch_is_one_insert_for_each_table(engine, count):
    request = service.PutArtifactTypeRequest()
    request.artifact_type.name = "A"
    type_id = engine.call("PutArtifactType", request).type_id
    batch = service.PutArtifactsRequest()
    for number in range(count):
        node = batch.artifacts.add(type_id=type_id, name=f"n{number}")
        node.custom_properties["p"].int_value = number
    with observed_statements() as texts:
        engine.call("PutArtifacts", batch)
    inserts = [text.split()[2] for text in texts if text.startswith("INSERT")]
    assert sorted(inserts) == ["artifacts", "commits", "index_queue", "writers"]
