"""The calls of Kubeflow Pipelines 2, one by one over gRPC: the same answers as ML Metadata's.

Three runs of a pipeline with an importer, a loop, a cache, a task that fails and is launched again,
a condition that is not met, and a driver that is tried again; then the reads of the pages and of
the access check. Each answer is compared with that of the real store, with symbols in place of ids.
"""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from lineage_store.v1 import metadata_pb2 as pb
from tests.acceptance.programs.kubeflow import reads
from tests.acceptance.programs.kubeflow.client import DAG, IMPORTER, MetadataClient
from tests.acceptance.programs.kubeflow.run import ITERATIONS, KubeflowRun
from tests.acceptance.programs.kubeflow.wire import RecordedCall, Wire
from tests.mlmd_servers import EVERYWHERE, serving

# What the real store says is asked for once, and Galera is started once.
pytestmark = pytest.mark.xdist_group("galera")
OURS = EVERYWHERE[1:]
SLOW = ("postgresql", "mariadb", "galera")
"""Where more than 2,000 calls, one by one, take 10 to 20 seconds."""

DRIVER_AND_LAUNCHER = {
    *("GetContextByTypeAndName", "GetContextType", "PutContextType", "PutContexts"),
    *("GetParentContextsByContext", "PutParentContexts", "PutExecutionType", "PutExecution"),
    *("GetExecutionsByID", "GetExecutionByTypeAndName", "GetContextsByExecution"),
    *("GetExecutionsByContext", "GetEventsByExecutionIDs", "GetEventsByArtifactIDs"),
    *("GetArtifactsByID", "PutArtifactType", "GetArtifactType", "PutArtifacts"),
    *("GetArtifactsByURI", "GetContextsByArtifact", "GetContextsByID"),
}
PAGES = {
    *("GetArtifactsByContext", "GetArtifactTypes", "GetExecutionTypes", "GetArtifacts"),
    *("GetArtifactTypesByID", "GetExecutionTypesByID", "GetExecutions"),
}


def conversation(server: str, directory: Path) -> list[RecordedCall]:
    """Return all that Kubeflow Pipelines and a server say to each other."""
    with serving(server, directory) as address, closing(Wire(address)) as wire:
        cache: dict[str, int] = {}
        runs = [KubeflowRun(wire, f"run-{i}", cache, reimport=i == 2) for i in range(3)]
        for run in runs:
            run.play()
        # All of the second run was known; the third has new raw data.
        assert [run.hits for run in runs] == [0, 1 + ITERATIONS, 0]
        assert runs[0].root() == wire_root(wire)
        assert read_all(wire) == {"kubeflow"}
        assert len(wire.calls) > 2000
        return wire.calls


def wire_root(wire: Wire) -> int:
    named = {"type_name": DAG, "execution_name": "run/run-0"}
    return int(wire.call("GetExecutionByTypeAndName", **named).execution.id)


def read_all(wire: Wire) -> set[str]:
    """Make the reads of the pages; return whose the raw data is."""
    tasks = reads.page_of_run(wire, "run-0")
    check_states(tasks)
    for task in tasks.values():
        reads.page_of_execution(wire, task.id)
    outputs = MetadataClient(wire).outputs(tasks["prepare"].id)
    reads.page_of_artifact(wire, outputs["table"].id)
    reads.lists(wire, 10)
    assert set(reads.refusals(wire)) == {"OK", "NOT_FOUND"}
    return reads.namespaces_of(wire, "s3://lake/raw")


def check_states(tasks: dict[str, pb.Execution]) -> None:
    """Check the content of the page of the first run."""
    shown = {name: pb.Execution.State.Name(task.last_known_state) for name, task in tasks.items()}
    root = {"": "RUNNING"}  # nothing that is said to the store ends the root
    final_states = dict.fromkeys(("data", "prepare", "for-loop-1", "train", "deploy"), "COMPLETE")
    assert shown == root | final_states | {"condition-1": "CANCELED"}
    assert {task.type for task in tasks.values()} > {DAG, IMPORTER}


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> list[RecordedCall]:
    return conversation("real core", tmp_path_factory.mktemp("real"))


def test_it_is_the_whole_of_what_kubeflow_pipelines_calls(expected: list[RecordedCall]) -> None:
    assert {call.method for call in expected} == DRIVER_AND_LAUNCHER | PAGES
    refused = Counter((call.method, call.status) for call in expected if call.status != "OK")
    assert refused["PutExecution", "ALREADY_EXISTS"] == 1
    assert refused["GetContextType", "NOT_FOUND"] >= 2
    pages = [call for call in expected if 'next_page_token: "more"' in call.response]
    assert {call.method for call in pages} >= {"GetExecutionsByContext", "GetArtifacts"}


@pytest.mark.parametrize(
    "server",
    [
        pytest.param(server, marks=pytest.mark.long if server.endswith(SLOW) else ())
        for server in OURS
    ],
)
def test_each_answer_is_that_of_ml_metadata(
    server: str, expected: list[RecordedCall], tmp_path: Path
) -> None:
    calls = conversation(server, tmp_path)
    for number, (ours, real) in enumerate(zip(calls, expected, strict=False)):
        assert ours == real, f"call {number}"
    assert len(calls) == len(expected)


@pytest.fixture(params=OURS)
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with serving(request.param, tmp_path) as address:
        yield address


def test_pods_that_start_at_once_agree_on_one_run(address: str) -> None:
    """Types, contexts, the edge between them and the root of the run are there once."""

    def start(_: int) -> tuple[int, int, int]:
        with closing(Wire(address)) as wire:
            run = KubeflowRun(wire, "run", {})
            root = run.root()
            _, pipeline = run.pod()
            assert {call.status for call in wire.calls} <= {"OK", "ALREADY_EXISTS", "NOT_FOUND"}
            return root, pipeline.pipeline.id, pipeline.run.id

    with ThreadPoolExecutor(12) as pods:
        assert len(set(pods.map(start, range(12)))) == 1
