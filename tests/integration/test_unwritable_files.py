"""Filters answer in full on a file that can't be written, whatever waits to be indexed."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lineage_store import (
    Artifact,
    ArtifactType,
    Context,
    ContextType,
    LineageStore,
    connect,
    errors,
)
from lineage_store.database.upkeep.property_indexer import PropertyIndexer
from lineage_store.database.writer import Writer

HIGH = "properties.accuracy.double_value > 0.5"


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file in which some nodes are indexed, some wait, and one was updated since."""
    path = tmp_path / "lineage.db"
    with connect(f"sqlite:///{path}") as store:
        store.put_artifact_type(ArtifactType(name="Model", properties={"accuracy": float}))
        store.put_context_type(ContextType(name="Project"))
        put(store, "indexed", 0.9)
        assert names(store, HIGH) == ["indexed"]
    with monkeypatch.context() as patch:
        patch.setattr(PropertyIndexer, "queued", lambda *_: None)
        with connect(f"sqlite:///{path}") as store:
            for at, accuracy in enumerate((0.1, 0.6, 0.7)):
                put(store, f"waiting {at}", accuracy)
            changed = store.get_artifact(type="Model", name="waiting 0")
            store.put_artifact(replace(changed, properties={"accuracy": 0.8}))
            store.put_context(Context(type="Project", name="p", custom_properties={"owner": "me"}))
    return path


def put(store: LineageStore, name: str, accuracy: float) -> None:
    store.put_artifact(Artifact(type="Model", name=name, properties={"accuracy": accuracy}))


def names(store: LineageStore, where: str) -> list[str | None]:
    return [artifact.name for artifact in store.iter_artifacts(where=where)]


def check(store: LineageStore) -> None:
    everything = ["indexed", "waiting 0", "waiting 1", "waiting 2"]
    for _ in range(3):
        assert names(store, HIGH) == everything
        assert names(store, "properties.accuracy.double_value <= 0.1") == []
        assert names(store, f"type = 'Model' AND NOT {HIGH}") == []
        mine = store.iter_contexts(where="custom_properties.owner.string_value = 'me'")
        assert [context.name for context in mine] == ["p"]
        assert len(list(store.iter_artifacts())) == 4


def test_a_store_that_is_only_read(path: Path) -> None:
    with connect(f"sqlite:///{path}?mode=ro") as store:
        check(store)
        with pytest.raises(errors.FailedPrecondition, match="read-only"):
            put(store, "more", 0.5)


@pytest.fixture
def full(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LineageStore]:
    def fail(*_: object) -> None:
        raise errors.ResourceExhausted("the disk that holds the database is full")

    with connect(f"sqlite:///{path}") as store:
        monkeypatch.setattr(Writer, "_run_together", fail)
        yield store
        monkeypatch.undo()


def test_a_full_disk(full: LineageStore) -> None:
    check(full)
    with pytest.raises(errors.ResourceExhausted):
        put(full, "more", 0.5)


def test_the_index_is_completed_once_it_can_be(full: LineageStore, path: Path) -> None:
    check(full)
    with connect(f"sqlite:///{path}") as other:
        check(other)
    check(full)
