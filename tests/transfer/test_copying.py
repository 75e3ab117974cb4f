"""A copy is the store that it was copied from, whatever database either is kept in."""

from contextlib import closing

import pytest

from lineage_store.client.embedded import EmbeddedTransport
from lineage_store.transfer.copying import copy
from tests.conformance.conftest import Call
from tests.transfer.stores import BACKENDS, fill, held, new_store


@pytest.fixture(params=BACKENDS)
def source(request, tmp_path):
    """A store with one of everything."""
    with new_store(request.param, tmp_path) as url:
        fill(url)
        yield url


@pytest.fixture
def small(tmp_path):
    """A file with one of everything."""
    url = f"sqlite:///{tmp_path}/small.db"
    fill(url)
    return url


@pytest.mark.parametrize("target", BACKENDS)
def test_a_copy_holds_the_same_rows_and_can_be_used(source, target, tmp_path):
    with new_store(target, tmp_path) as url:
        done = copy(source, url, verify=True)
        assert done.is_verified
        assert not done.is_resumed
        before = held(source)
        assert held(url) == before
        assert done.rows == {name: len(rows) for name, rows in before.items() if name != "counters"}
        assert all(done.rows.values())  # there is something in every table
        with closing(EmbeddedTransport(url)) as transport:
            call = Call(transport, dict)
            query = {"filter_query": "custom_properties.`😀`.int_value = 2"}
            assert len(call("GetArtifacts", options=query).artifacts) == 1
            [new] = call.put("artifact", {"type_id": 10})
            assert new >= before["counters"]["artifacts"]
