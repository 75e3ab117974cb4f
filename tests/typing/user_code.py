"""Code as a user types it: mypy and basedpyright check it in strict mode, nothing runs it."""

from pathlib import Path
from typing import assert_type

from lineage_store import (
    Artifact,
    ArtifactType,
    Caching,
    Lineage,
    LineageStore,
    PropertyType,
    RecordingOptions,
    Run,
    Step,
    Verdict,
    connect,
    errors,
    fingerprint,
    step,
)


@step(cache=True)
def count(table: Path, floor: int = 0) -> int:
    return len(table.read_text()) + floor


@step
def train(table: Path) -> dict[str, float]:
    return {"accuracy": float(len(table.read_text()))}


def record(store: LineageStore) -> None:
    with store.run("nightly", pipeline="churn") as run:
        assert_type(run, Run)
        with run.step("train", cache=Caching(scope="team")) as recorded:
            assert_type(recorded, Step)
        assert_type(count(Path("data.csv"), floor=2), int)
        assert_type(train(Path("data.csv")), dict[str, float])


def read(store: LineageStore) -> None:
    artifact = store.get_artifact(7)
    assert_type(artifact, Artifact)
    assert_type(store.find_artifact(7), Artifact | None)
    assert_type(store.list_artifacts().items, list[Artifact])
    assert_type(store.artifacts.get("Model/churn"), Artifact)
    assert_type([step.id for step in store.executions], list[int | None])
    lineage = store.lineage(artifact).upstream()
    assert_type(lineage, Lineage)
    assert_type(lineage.verdict, Verdict)
    assert_type(lineage.to_svg(), str)
    assert_type(fingerprint({"depth": 6}), str)


def put(store: LineageStore) -> int:
    type_id = store.put_artifact_type(
        ArtifactType(name="Model", properties={"depth": PropertyType.INT})
    )
    assert_type(type_id, int)
    try:
        return store.put_artifact(Artifact(type="Model", uri="s3://models/1"))
    except errors.AlreadyExists:
        return 0


def main() -> None:
    for location in ("lineage.db", Path("lineage.db"), "grpc://lineage:8080"):
        with connect(location, recording=RecordingOptions()) as store:
            assert_type(store, LineageStore)
            record(store)
            read(store)
            put(store)
