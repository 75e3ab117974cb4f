"""`store.artifacts`, `store.executions` and `store.contexts` on every backend."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lineage_store import (
    Artifact,
    ArtifactType,
    Context,
    ContextType,
    Execution,
    ExecutionType,
    LineageStore,
    errors,
)
from tests.conformance.step_stores import WAYS, opened


@pytest.fixture(params=WAYS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LineageStore]:
    with opened(request.param, tmp_path) as store:
        yield store


@pytest.fixture
def filled(store: LineageStore) -> LineageStore:
    store.put_artifact_type(ArtifactType(name="Model"))
    store.put_execution_type(ExecutionType(name="Train"))
    store.put_context_type(ContextType(name="Run"))
    store.artifacts.put(
        Artifact(type="Model", name="churn", uri="s3://models/1"),
        Artifact(type="Model", name="risk", uri="s3://models/2"),
    )
    store.executions.put(Execution(type="Train", name="monday"))
    store.contexts.put(Context(type="Run", name="nightly"))
    return store


def test_a_node_is_named_as_on_the_command_line(filled: LineageStore) -> None:
    churn = filled.artifacts.get("Model/churn")
    assert isinstance(churn, Artifact)
    for name in (churn.id, str(churn.id), f"artifact:{churn.id}", "uri:s3://models/1"):
        assert filled.artifacts.get(name).name == "churn"  # type: ignore[arg-type]
    monday = filled.executions.get("Train/monday")
    assert filled.executions.get(f"execution:{monday.id}") == monday
    nightly = filled.contexts.get("Run/nightly")
    assert filled.contexts.get(f"context:{nightly.id}") == nightly


def test_listings_and_loops(filled: LineageStore) -> None:
    assert [node.name for node in filled.artifacts] == ["churn", "risk"]
    assert [node.name for node in filled.artifacts.list(where="name = 'risk'")] == ["risk"]
    assert [node.name for node in filled.artifacts.iter(limit=1, ascending=False)] == ["risk"]
    assert len(filled.executions.list(type="Train")) == 1


def test_an_update_touches_what_it_is_given(filled: LineageStore) -> None:
    churn = filled.artifacts.get("Model/churn")
    [node_id] = filled.artifacts.put(
        Artifact(id=churn.id, type="Model", uri="s3://models/3"), fields=["uri"]
    )
    assert filled.artifacts.get(node_id).uri == "s3://models/3"


def test_a_node_that_is_not_there(filled: LineageStore) -> None:
    assert filled.artifacts.find("Model/none") is None
    assert filled.contexts.find(999) is None
    with pytest.raises(errors.NotFound):
        filled.executions.get("Train/none")


@pytest.mark.parametrize("name", ["", "churn", "artifact:x", "9" * 30, None, True, 1.5, ["Model"]])
def test_other_values_are_refused(filled: LineageStore, name: object) -> None:
    for nodes in (filled.artifacts, filled.executions, filled.contexts):
        with pytest.raises((errors.InvalidArgument, errors.NotFound)):
            nodes.get(name)  # type: ignore[arg-type]


def test_a_node_of_another_kind_is_refused(filled: LineageStore) -> None:
    with pytest.raises(errors.InvalidArgument, match="names an execution, not an artifact"):
        filled.artifacts.get("execution:1")
    with pytest.raises(errors.InvalidArgument, match="Execution among the artifacts"):
        filled.artifacts.put(Execution(type="Train"))  # type: ignore[arg-type]
    with pytest.raises(errors.InvalidArgument, match="contexts belong to no context"):
        filled.contexts.list(context=1)


def test_a_file_names_its_artifact(filled: LineageStore, tmp_path: Path) -> None:
    file = tmp_path / "model.pkl"
    file.write_bytes(b"a model")
    with filled.run("nightly", pipeline="churn") as run, run.step("train") as step:
        step.output("model", file, type="Model")
    filled.flush_recording()
    assert filled.artifacts.get(str(file)).uri == str(file)
