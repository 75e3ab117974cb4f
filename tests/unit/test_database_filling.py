"""A store that is being filled is closed to all until it is complete, and can be gone on with."""

from contextlib import closing

import pytest

from lineage_store import errors
from lineage_store.database import tables
from lineage_store.database.bulk.bulk_load import BulkLoad
from lineage_store.database.ids import MAX_ID
from lineage_store.database.schema import administration
from lineage_store.database.schema import revisions as schema
from lineage_store.database.staging.types import type_row
from lineage_store.engine import Engine
from lineage_store.kinds import ARTIFACT
from lineage_store.v1 import metadata_pb2 as pb
from lineage_store.v1 import metadata_service_pb2 as service


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/store.db"


def fill(filling, number, then=lambda: None):
    with filling.batch() as connection:
        row = type_row(ARTIFACT, pb.ArtifactType(id=number, name=f"T{number}"), recorded_at=1)
        connection.insert(tables.types, [row])
        then()


def test_it_is_closed_until_it_is_finished_and_goes_on_where_it_was_cut(url):
    with closing(BulkLoad(url, "here")) as filling:
        assert not filling.is_resumed
        assert filling.last(tables.types) is None
        fill(filling, 20)
    for use in (Engine, administration.upgrade):
        with pytest.raises(errors.SchemaMismatch, match="same command again"):
            use(url)
    with pytest.raises(errors.FailedPrecondition, match="another source"):
        BulkLoad(url, "there")
    with closing(BulkLoad(url, "here")) as filling:
        assert filling.is_resumed
        assert filling.last(tables.types) == (20,)
        fill(filling, 21)
        filling.finish({"types": 22, "artifacts": 7})
    assert administration.status(url).revision == schema.HEAD
    with closing(Engine(url)) as engine:
        request = service.PutArtifactTypeRequest()
        request.artifact_type.name = "new"
        assert engine.call("PutArtifactType", request).type_id == 22
        put = service.PutArtifactsRequest()
        put.artifacts.add(type_id=21)
        assert engine.call("PutArtifacts", put).artifact_ids == [7]


def test_a_batch_that_fails_leaves_nothing(url):
    with closing(BulkLoad(url, "here")) as filling:
        fill(filling, 20)
        with pytest.raises(errors.Aborted, match="another process"):
            fill(filling, 20)
        with pytest.raises(ZeroDivisionError):
            fill(filling, 30, then=lambda: 1 // 0)
        assert filling.last(tables.types) == (20,)


@pytest.mark.parametrize("content", ["a type", "a node"])
def test_a_store_that_holds_something_is_refused_and_stays_as_it_is(url, content):
    with closing(Engine(url)) as engine:
        if content == "a type":
            request = service.PutArtifactTypeRequest()
            request.artifact_type.name = "T"
            engine.call("PutArtifactType", request)
        else:
            put = service.PutArtifactsRequest()
            put.artifacts.add(type_id=1)
            engine.call("PutArtifacts", put)
    with pytest.raises(errors.FailedPrecondition, match="must be empty"):
        BulkLoad(url, "here")
    Engine(url).close()


def test_ids_beyond_what_a_store_can_give_out_are_refused(url):
    with closing(BulkLoad(url, "here")) as filling:
        with pytest.raises(errors.OutOfRange, match="artifacts"):
            filling.finish({"artifacts": MAX_ID + 1})
        assert administration.status(url).revision.startswith(schema.FILLING)
