"""A digest is looked up through the index over properties: how, and with how many statements."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from sqlalchemy.dialects import mysql, postgresql

from lineage_store import Artifact, errors
from lineage_store.database.queries import digests
from lineage_store.engine import Engine
from lineage_store.lineage.identity import DIGEST_PROPERTIES, DigestPattern
from lineage_store.v1 import lineage_pb2
from lineage_store.v1 import metadata_pb2 as pb
from lineage_store.v1 import metadata_service_pb2 as service
from tests.unit.test_database_statements import counted

HEX = "0123456789abcdef" * 4


@pytest.fixture
def engine(tmp_path) -> Iterator[Engine]:
    with closing(Engine(f"sqlite:///{tmp_path}/store.db")) as engine:
        engine.call("PutTypes", service.PutTypesRequest(artifact_types=[pb.ArtifactType(name="A")]))
        request = service.PutArtifactsRequest()
        for at in range(50):
            artifact = request.artifacts.add(type_id=10)
            artifact.custom_properties["digest"].string_value = f"sha256:{at:02}{HEX[2:]}"
        engine.call("PutArtifacts", request)
        trace(engine, "000000")  # from here on everything is indexed
        yield engine


def trace(engine: Engine, digest: str) -> list[int]:
    walk = lineage_pb2.Walk(max_hops=0)
    walk.start.kind, walk.start.digest = lineage_pb2.ARTIFACT, digest
    try:
        parts = list(engine.stream("Trace", lineage_pb2.TraceRequest(walk=walk)))
    except errors.NotFound:
        return []
    answers = map(lineage_pb2.TraceResponse.FromString, parts)
    return [artifact.id for answer in answers for artifact in answer.artifacts]


@pytest.mark.parametrize(
    "digest", [f"sha256:07{HEX[2:]}", f"07{HEX[2:]}", "sha256:072345", "072345"]
)
def test_a_look_up_is_one_statement(engine: Engine, digest: str) -> None:
    with counted() as texts:
        assert trace(engine, digest) == [8]
    texts = [text for text in texts if "index_queue" not in text]  # whether all is indexed
    assert "artifact_properties" in texts[0]
    assert len(texts) == 3  # with the node, and whether the walk could go on


def plans() -> list[tuple[str, Any]]:
    names = DIGEST_PROPERTIES
    return [
        ("equal", digests._equal(names).chunks(["sha256:a", "a"])),
        ("between", digests._between(names).chunks([("a", "ag"), ("sha256:a", "sha256:ag")])),
    ]


@pytest.mark.parametrize(("name", "chunks"), plans(), ids=lambda value: str(value)[:5])
def test_sqlite_searches_the_index(engine: Engine, name: str, chunks: Any) -> None:
    [(statement, values)] = chunks
    sql, arguments = statement.render(engine._database._driver.dialect, values)
    with closing(sqlite3.connect(engine._database._driver.path)) as connection:
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", arguments)]
    searches = [line for line in plan if "ix_artifact_properties_string_value" in line]
    assert len(searches) == (1 if name == "equal" else 2), plan
    assert all("name=? AND is_custom=? AND string_value" in line for line in searches)
    assert not [line for line in plan if line.startswith("SCAN")], plan


@pytest.mark.parametrize("dialect", [postgresql.dialect(), mysql.dialect()], ids=lambda d: d.name)
@pytest.mark.parametrize(("name", "chunks"), plans(), ids=lambda value: str(value)[:5])
def test_the_statements_compile_for_other_databases(dialect: Any, name: str, chunks: Any) -> None:
    [(statement, values)] = chunks
    text, _ = statement.render(dialect, values)
    assert ("UNION ALL" in text) == (name == "between")
    assert "POSTCOMPILE" not in text


def artifact(**properties: str) -> Artifact:
    return Artifact(id=1, custom_properties=properties)


def test_a_digest_matches_however_it_is_stored() -> None:
    for stored in (
        {"digest": f"sha256:{HEX}"},
        {"content_hash": f"SHA256={HEX.upper()}"},
        {"sha256": HEX},
        {"hash": HEX},
    ):
        for text in (f"sha256:{HEX}", HEX, HEX.upper(), "sha256:012345", " 01234567 "):
            pattern = DigestPattern.of(text)
            assert pattern.matches(artifact(**stored))
            [value] = stored.values()
            assert pattern.is_prefix or value in pattern.texts()
    md5 = HEX[:32]
    assert not DigestPattern.of(f"sha1:{HEX[:40]}").matches(artifact(sha256=HEX))
    assert not DigestPattern.of(f"sha256:{md5}").matches(artifact(md5=md5))
    assert DigestPattern.of("crc32c:AAAA==").matches(artifact(checksum="crc32c:AAAA=="))
    assert not DigestPattern.of(HEX).matches(artifact(digest="x", sha256=HEX))


@pytest.mark.parametrize("text", ["", "sha256:", "model", "0123", "sha256:" + "0" * 201])
def test_what_is_no_digest(text: str) -> None:
    with pytest.raises(errors.InvalidArgument, match="digest"):
        DigestPattern.of(text)
