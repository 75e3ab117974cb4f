"""Several processes on one database at once."""

import subprocess
import sys
from collections import Counter
from contextlib import closing

import pytest

from lineage_store.database.schema import administration
from lineage_store.engine import Engine
from lineage_store.v1 import metadata_service_pb2 as service
from tests.backends import mariadb, postgresql

PROCESSES, PUTS, NODES = 4, 50, 5

WRITE = """
import sys
from contextlib import closing
from lineage_store.engine import Engine
from lineage_store.v1 import metadata_pb2 as pb, metadata_service_pb2 as service

url, who, puts, nodes = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
with closing(Engine(url)) as engine:
    kind = pb.ArtifactType(name="T", properties={who: pb.INT})
    put_type = service.PutArtifactTypeRequest(
        artifact_type=kind, can_add_fields=True, can_omit_fields=True
    )
    type_id = engine.call("PutArtifactType", put_type).type_id
    for at in range(puts):
        request = service.PutArtifactsRequest()
        for node in range(nodes):
            artifact = request.artifacts.add(type_id=type_id, name=f"{who}-{at}-{node}")
            artifact.properties[who].int_value = at
        for artifact_id in engine.call("PutArtifacts", request).artifact_ids:
            print(artifact_id)
"""


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def url(request, tmp_path):
    """The URL of a database that is empty."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/store.db"
        return
    with {"postgresql": postgresql, "mariadb": mariadb}[request.param].new_store() as empty:
        yield empty


@pytest.mark.long
def test_processes_that_create_and_fill_one_store_lose_nothing(url):
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITE, url, f"p{i}", str(PUTS), str(NODES)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for i in range(PROCESSES)
    ]
    answers = [writer.communicate(timeout=120) for writer in writers]
    assert [
        (writer.returncode, error) for writer, (_, error) in zip(writers, answers, strict=True)
    ] == [(0, "")] * PROCESSES
    acknowledged = [int(line) for output, _ in answers for line in output.split()]
    with closing(Engine(url)) as engine:
        answer = engine.call("GetArtifacts", service.GetArtifactsRequest())
        artifacts = service.GetArtifactsResponse.FromString(answer).artifacts
        types = engine.call("GetArtifactTypes", service.GetArtifactTypesRequest()).artifact_types
    assert sorted(node.id for node in artifacts) == sorted(acknowledged)
    assert set(Counter(node.name for node in artifacts).values()) == {1}
    assert len(artifacts) == PROCESSES * PUTS * NODES
    assert [sorted(t.properties) for t in types] == [[f"p{i}" for i in range(PROCESSES)]]
    if url.startswith("sqlite"):
        assert administration.integrity_problems(url) == []
