"""Messages of the real ml_metadata are accepted wherever ours are, in one process.

The two packages can't be installed side by side on every platform, so the classes are built from
the descriptors of the real one, in a pool of their own. They have the full names of the real ones.
"""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

from lineage_store import mlmd
from tests.mlmd_servers import run, serving


class RealMessages:
    """The message classes of ml_metadata, as attributes."""

    def __init__(self) -> None:
        self._pool = DescriptorPool()
        for file in json.loads(run("ml_metadata", "mlmd/mlmd_descriptors.py")):
            self._pool.AddSerializedFile(base64.b64decode(file))

    def __getattr__(self, name: str) -> Any:
        return GetMessageClass(self._pool.FindMessageTypeByName(f"ml_metadata.{name}"))


@pytest.fixture(scope="module")
def real() -> RealMessages:
    return RealMessages()


@pytest.fixture
def store(real: RealMessages) -> mlmd.MetadataStore:
    return mlmd.MetadataStore(real.ConnectionConfig(fake_database={}))


def test_configurations_choose_a_file_and_a_server(real: RealMessages, tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    mlmd.MetadataStore(real.ConnectionConfig(sqlite={"filename_uri": str(path)}))
    assert path.exists()
    with serving("real core", tmp_path) as address:
        host, port = address.split(":")
        store = mlmd.MetadataStore(real.MetadataStoreClientConfig(host=host, port=int(port)))
        assert store.get_artifacts() == []


def test_types_and_nodes_are_stored(real: RealMessages, store: mlmd.MetadataStore) -> None:
    data = real.ArtifactType(name="Data", properties={"rows": 1})
    artifact = real.Artifact(type_id=store.put_artifact_type(data), uri="s3://x")
    artifact.properties["rows"].int_value = 3
    artifact.custom_properties["more"].struct_value["a"] = "b"
    store.put_artifacts([artifact])
    (got,) = store.get_artifacts()
    assert isinstance(got, mlmd.proto.Artifact)
    assert (got.type, got.uri, got.properties["rows"].int_value) == ("Data", "s3://x", 3)
    assert got.custom_properties["more"].struct_value["a"] == "b"

    run_type = store.put_context_type(real.ContextType(name="Run"))
    train = store.put_execution_type(real.ExecutionType(name="Train"))
    (child, parent) = store.put_contexts(
        [real.Context(type_id=run_type, name=name) for name in ("child", "parent")]
    )
    (execution,) = store.put_executions([real.Execution(type_id=train)])
    store.put_events([real.Event(artifact_id=got.id, execution_id=execution, type=3)])
    store.put_attributions_and_associations(
        [real.Attribution(artifact_id=got.id, context_id=child)],
        [real.Association(execution_id=execution, context_id=child)],
    )
    store.put_parent_contexts([real.ParentContext(child_id=child, parent_id=parent)])
    assert store.get_events_by_artifact_ids([got.id])[0].execution_id == execution
    assert store.get_contexts_by_artifact(got.id) == store.get_contexts_by_execution(execution)
    assert store.get_parent_contexts_by_context(child)[0].name == "parent"


def test_whole_steps_are_stored(real: RealMessages, store: mlmd.MetadataStore) -> None:
    artifact = real.Artifact(type_id=store.put_artifact_type(real.ArtifactType(name="Data")))
    execution = real.Execution(type_id=store.put_execution_type(real.ExecutionType(name="Train")))
    run_type = store.put_context_type(real.ContextType(name="Run"))
    context = real.Context(type_id=run_type, name="r")
    pairs = [(artifact, real.Event(type=4))]
    step, outputs, (run_id,) = store.put_execution(execution, pairs, [context])
    assert [event.execution_id for event in store.get_events_by_artifact_ids(outputs)] == [step]
    _, _, contexts = store.put_lineage_subgraph(
        [execution],
        [artifact],
        [context],
        [(0, 0, real.Event(type=3))],
        reuse_context_if_already_exist=True,
    )
    assert contexts == [run_id]
    assert len(store.get_executions_by_context(run_id)) == 2


def test_other_messages_of_the_real_package_are_refused(
    real: RealMessages, store: mlmd.MetadataStore
) -> None:
    with pytest.raises(TypeError, match="expected a message Artifact, got a Execution"):
        store.put_artifacts([real.Execution()])
    with pytest.raises(ValueError, match="config"):
        mlmd.MetadataStore(real.Artifact())
