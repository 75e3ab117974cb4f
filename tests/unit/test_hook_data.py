"""Artifacts for the inputs and outputs of steps, in all hooks."""

from pathlib import Path
from typing import Any

import pytest

from lineage_store.integrations.artifacts import (
    HASH_BYTES,
    file_artifact,
    uri_artifact,
    value_artifact,
)
from lineage_store.recording.values import numbers_in


def test_the_same_content_at_the_same_place_is_one_artifact(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("a")
    first = file_artifact(path, "run 1")
    assert file_artifact(path, "run 2") == first
    path.write_text("b")
    assert file_artifact(path, "run 1").external_id != first.external_id


@pytest.mark.parametrize("uri", ["file://{}", "{}"])
def test_a_uri_of_a_file_is_the_file(tmp_path: Path, uri: str) -> None:
    path = tmp_path / "a table.csv"
    path.write_text("a")
    assert uri_artifact(uri.format(str(path).replace(" ", "%20" if ":" in uri else " ")), "r") == (
        file_artifact(path, "r")
    )


def test_what_is_not_there_is_recorded_all_the_same(tmp_path: Path) -> None:
    artifact = file_artifact(tmp_path / "nothing", "run 1")
    assert "FileNotFoundError" in artifact.custom_properties["not_hashed"]
    assert file_artifact(tmp_path / "nothing", "run 1").external_id == artifact.external_id
    assert file_artifact(tmp_path / "nothing", "run 2").external_id != artifact.external_id


def test_what_is_too_large_is_known_by_size_and_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(HASH_BYTES, "10")
    path = tmp_path / "large"
    path.write_bytes(b"x" * 11)
    artifact = file_artifact(path, "run 1")
    assert artifact.custom_properties["not_hashed"] == "it has more than 10 bytes"
    assert "digest" not in artifact.custom_properties
    assert file_artifact(path, "run 2").external_id == artifact.external_id
    inner = value_artifact("churn", "text", "x" * 11, "run 1")
    assert inner.custom_properties["not_hashed"] == "it has more than 10 bytes"


def test_a_uri_with_a_version_is_the_same_in_every_run() -> None:
    first = uri_artifact("s3://bucket/table", "run 1", version="v1")
    assert uri_artifact("s3://bucket/table", "run 2", version="v1") == first
    assert first.custom_properties == {"version": "v1"}
    untold = uri_artifact("s3://bucket/table", "run 1")
    assert uri_artifact("s3://bucket/table", "run 2").external_id != untold.external_id
    assert "neither digest nor version" in untold.custom_properties["not_hashed"]


class Strange:
    """A value whose every method may raise."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


def test_values_are_known_by_their_content() -> None:
    first = value_artifact("churn", "clean/table", [[1, 2]], "run 1")
    assert first.uri == "value:churn/clean/table"
    assert first.custom_properties["python_type"] == "list"
    assert value_artifact("churn", "clean/table", [[1, 2]], "run 2") == first
    assert value_artifact("churn", "clean/table", [[1, 3]], "run 1") != first


@pytest.mark.parametrize(
    "make", [object, Strange, lambda: iter("ab")], ids=["object", "class", "iterator"]
)
def test_a_value_without_a_fingerprint_says_so(make: Any) -> None:
    artifact = value_artifact("churn", "thing", make(), "run 1")
    assert artifact.custom_properties["not_hashed"]
    assert artifact.external_id == "value:churn/thing@run 1"


def test_numbers_are_metrics() -> None:
    assert numbers_in(0.5) == {"": 0.5}
    assert numbers_in({"auc": 0.5, "n": 3}) == {"auc": 0.5, "n": 3}
    assert numbers_in({"auc": 0.5, "name": "x"}) == numbers_in(value=True) == numbers_in({}) == {}
