"""Listings on SQLite measure no body until one is large; then they leave the large ones out."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, closing

import pytest

from lineage_store.database.connection import Connection, LargeValue
from lineage_store.database.drivers.sqlite import SqliteDriver
from lineage_store.database.queries.bodies import INLINE_BYTES
from lineage_store.engine import Engine
from lineage_store.v1 import metadata_pb2 as pb
from lineage_store.v1 import metadata_service_pb2 as service
from tests.statements import observed_statements


@pytest.fixture
def engine(tmp_path) -> Iterator[Engine]:
    with closing(Engine(f"sqlite:///{tmp_path}/store.db")) as engine:
        request = service.PutArtifactTypeRequest(artifact_type=pb.ArtifactType(name="A"))
        engine.call("PutArtifactType", request)
        yield engine


def put(engine: Engine, *sizes: int) -> None:
    request = service.PutArtifactsRequest()
    for size in sizes:
        node = request.artifacts.add(type_id=10)
        node.custom_properties["text"].string_value = "x" * size
    engine.call("PutArtifacts", request)


def listing_queries() -> AbstractContextManager[list[str]]:
    return observed_statements(lambda text: "FROM artifacts" in text and "page_key" in text)


def listed_sizes(engine: Engine, **options: object) -> list[int]:
    request = service.GetArtifactsRequest()
    if options:
        request.options.max_result_size = 20
        request.options.order_by_field.field = pb.ListOperationOptions.OrderByField.ID
    answer = service.GetArtifactsResponse.FromString(engine.call("GetArtifacts", request))
    return [len(node.custom_properties["text"].string_value) for node in answer.artifacts]


@pytest.mark.parametrize("options", [{}, {"paged": True}])
def test_small_bodies_are_listed_by_one_query_that_measures_nothing(engine, options):
    put(engine, 10, 20, INLINE_BYTES - 200)
    with listing_queries() as texts:
        assert listed_sizes(engine, **options) == [10, 20, INLINE_BYTES - 200]
    assert len(texts) == 1
    assert "length(" not in texts[0]


@pytest.mark.parametrize("options", [{}, {"paged": True}])
def test_a_large_body_is_left_out_of_the_query_and_read_by_itself(engine, options):
    sizes = [10, INLINE_BYTES, 400_000, 20]
    put(engine, *sizes)
    assert listed_sizes(engine, **options) == sizes
    with listing_queries() as texts:
        assert listed_sizes(engine, **options) == sizes
    assert texts
    assert all("length(" in text for text in texts)


def test_values_are_refused_within_the_block_alone():
    driver = SqliteDriver(None)
    raw = driver.connect()
    select = "SELECT zeroblob(2000)"
    with closing(raw):
        connection_ = Connection(raw, driver)
        with driver.below(raw, 1000), pytest.raises(LargeValue):
            connection_._fetch(select, ())
        assert connection_._fetch(select, ()) == [(b"\0" * 2000,)]


def test_a_condition_reads_texts_whole(engine):
    put(engine, 2 * INLINE_BYTES)
    request = service.GetArtifactsRequest()
    request.options.max_result_size = 20
    request.options.order_by_field.field = pb.ListOperationOptions.OrderByField.ID
    text = "custom_properties.text.string_value"
    request.options.filter_query = f"LENGTH(SUBSTR({text}, 2)) = {2 * INLINE_BYTES - 1}"
    answer = service.GetArtifactsResponse.FromString(engine.call("GetArtifacts", request))
    assert len(answer.artifacts) == 1
