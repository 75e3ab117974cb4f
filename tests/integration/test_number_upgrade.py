"""Numbers that stores of before hold in another way are put right by an upgrade."""

import math
from collections.abc import Iterator
from contextlib import closing

import pytest

from lineage_store import Artifact, ArtifactType, connect
from lineage_store.database.checks.checking import check
from lineage_store.database.drivers.urls import driver_for
from lineage_store.database.schema import administration
from lineage_store.database.schema import revisions as schema
from tests.backends import mariadb, postgresql

LARGEST = 1.7976931348623157e308
NUMBERS = {
    "good": 0.97,
    "bad": 0.4,
    "diverged": math.nan,
    "endless": math.inf,
    "largest": LARGEST,
    "least": -LARGEST,
}
OLD = {
    "postgresql": ["UPDATE artifact_properties SET double_value = 'NaN' WHERE node_id = 3"],
    "mariadb": [
        "UPDATE artifact_properties SET double_value = 1.7976931348623157e308 WHERE node_id = 5",
        "UPDATE artifact_properties SET double_value = -1.7976931348623157e308 WHERE node_id = 6",
    ],
}


@pytest.fixture(params=["sqlite", postgresql, mariadb], ids=["sqlite", "postgresql", "mariadb"])
def url(request, tmp_path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/store.db"
        return
    with request.param.new_store() as url:
        yield url


def put(url: str) -> None:
    with connect(url) as store:
        store.put_artifact_type(ArtifactType(name="M", properties={"accuracy": float}))
        for name, value in NUMBERS.items():
            store.put_artifact(Artifact(type="M", name=name, properties={"accuracy": value}))
        assert names_with(store, "> 0.9") == {"good", "endless", "largest"}


def names_with(store, condition: str) -> set[str]:
    where = f"properties.accuracy.double_value {condition}"
    return {artifact.name for artifact in store.list_artifacts(where=where).items}


def change(url: str, *statements: str) -> None:
    driver = driver_for(url)
    with closing(driver.connect()) as raw:
        for statement in statements:
            with raw.cursor() as cursor:
                cursor.execute(statement)


@pytest.fixture(params=[postgresql, mariadb], ids=["postgresql", "mariadb"])
def old_url(request) -> Iterator[str]:
    """A store as version 0005 wrote it."""
    with request.param.new_store() as url:
        put(url)
        change(url, *OLD[request.param.__name__.rpartition(".")[2]])
        yield url


def test_a_check_names_numbers_that_filters_take_for_others(old_url):
    report = check(old_url)
    assert report.findings.total == len(OLD["postgresql" if "postgresql" in old_url else "mariadb"])
    assert {one.table for one in report.findings.kept_findings} == {"artifact_properties"}
    check(old_url, repair=True)
    assert check(old_url).findings.total == 0


def test_an_upgrade_puts_them_right(old_url):
    change(old_url, f"UPDATE {schema.REVISION_TABLE} SET version_num = '0005'")
    assert administration.upgrade(old_url) == ("0005", schema.HEAD)
    assert_right(old_url)


def test_a_new_store_is_right(url):
    put(url)
    assert_right(url)


def assert_right(url: str) -> None:
    assert check(url).findings.total == 0
    with connect(url) as store:
        assert names_with(store, "> 0.9") == {"good", "endless", "largest"}
        assert names_with(store, "IS NULL") == {"diverged"}
        assert names_with(store, "= 1.7976931348623157e308") == {"largest"}
        assert names_with(store, "> 1.7976931348623157e308") == {"endless"}
        assert names_with(store, "= 1e999") == {"endless"}
        assert names_with(store, "= -1.7976931348623157e308") == {"least"}
