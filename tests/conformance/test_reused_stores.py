"""Stores of servers that are used by one test after another: each begins as a new one."""

from contextlib import closing
from types import ModuleType

import pytest

from lineage_store.client.embedded import EmbeddedTransport
from tests.backends import galera, mariadb, postgresql
from tests.conformance.conftest import Call

FIRST_TIME = 10**15
"""No id is as large, and every time in µs is larger."""


def timeless_rows(backend: ModuleType, url: str) -> dict[str, list[list[object]]]:
    """Return the rows of a store with 0 for each time, and without the seeds of commits."""
    rows_by_table = backend.rows(url)
    rows_by_table["commits"] = [row[:-1] for row in rows_by_table["commits"]]
    return {
        name: [[0 if isinstance(x, int) and x > FIRST_TIME else x for x in row] for row in rows]
        for name, rows in rows_by_table.items()
    }


@pytest.mark.parametrize(
    "backend", [postgresql, mariadb, galera], ids=["postgresql", "mariadb", "galera"]
)
def test_a_store_that_was_used_has_the_rows_of_a_new_one(backend: ModuleType) -> None:
    with backend.new_store() as url:
        EmbeddedTransport(url).close()
        new_rows = timeless_rows(backend, url)
    with backend.pool.store() as used:
        with closing(EmbeddedTransport(used)) as transport:
            Call(transport, dict).pair()
        assert timeless_rows(backend, used) != new_rows
    with backend.pool.store() as again:
        assert again == used
        assert timeless_rows(backend, again) == new_rows
