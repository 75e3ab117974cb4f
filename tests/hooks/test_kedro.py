"""Features of Kedro alone: versions, generators, datasets without hash or failing, Ctrl-C."""

import signal
from pathlib import Path
from textwrap import dedent

import pytest

from lineage_store import LineageStore
from tests.hooks.adapter_kedro import ADAPTER
from tests.hooks.project import Project
from tests.hooks.recorded import Recorded, recorded
from tests.unit.recordings import until

pytestmark = [
    pytest.mark.timeout(400),
    pytest.mark.parametrize("adapter", [pytest.param(ADAPTER, id="kedro")], indirect=True),
]

HEAD = """
from churn_steps import signal
from kedro.pipeline import Pipeline, node

def register_pipelines():
    return {"__default__": Pipeline(NODES)}
"""


def write(project: Project, nodes: str, catalog: str = "") -> None:
    """Give the project another pipeline."""
    registry = project.directory / "src/churn/pipeline_registry.py"
    registry.write_text(HEAD + dedent(nodes))
    (project.directory / "conf/base/catalog.yml").write_text(dedent(catalog))


def outputs(run_record: Recorded, step: str) -> frozenset[str]:
    return run_record.steps[step][-1].outputs


@pytest.mark.parametrize("mode", ["sequential", "processes"])
def test_a_dataset_with_versions(
    project: Project, url: str, store: LineageStore, mode: str
) -> None:
    catalog = "table: {type: json.JSONDataset, filepath: data/table.json, versioned: true}"
    nodes = """
    def write():
        return {"rows": 3}

    def read(table):
        return table["rows"]

    NODES = [node(write, None, "table", name="write"), node(read, "table", "rows", name="read")]
    """
    write(project, nodes, catalog)
    project.succeed(url, mode)
    run_record = recorded(store, project)
    [path] = (project.directory / "data/table.json").glob("*/table.json")
    assert outputs(run_record, "write") == run_record.steps["read"][0].inputs == {str(path)}
    assert run_record.steps["read"][0].properties["outputs.rows"] == 3
    [artifact] = run_record.artifacts[str(path)]
    assert artifact.custom_properties["dataset_save_version"] == path.parent.name


def test_a_node_that_yields(project: Project, url: str, store: LineageStore) -> None:
    nodes = """
    def chunks():
        yield from ("a", "b", "c")

    def count(text):
        return len(text)

    NODES = [node(chunks, None, "text", name="chunks"), node(count, "text", "n", name="count")]
    """
    catalog = """
    text:
      type: text.TextDataset
      filepath: data/text
      fs_args: {open_args_save: {mode: a}}
    """
    write(project, nodes, catalog)
    project.succeed(url)
    run_record = recorded(store, project)
    path = str(project.directory / "data/text")
    assert run_record.states() == {"chunks": ["COMPLETE"], "count": ["COMPLETE"]}
    assert outputs(run_record, "chunks") == run_record.steps["count"][0].inputs == {path}
    assert len(run_record.artifacts[path]) == 1  # what was there in the end
    assert run_record.steps["count"][0].properties["outputs.n"] == 3


def test_a_value_that_cannot_be_hashed(project: Project, url: str, store: LineageStore) -> None:
    nodes = """
    class Strange:
        pass

    def make():
        return Strange()

    def use(thing):
        return 1

    NODES = [node(make, None, "thing", name="make"), node(use, "thing", "n", name="use")]
    """
    write(project, nodes)
    project.succeed(url)
    run_record = recorded(store, project)
    assert outputs(run_record, "make") == run_record.steps["use"][0].inputs == {"value:churn/thing"}
    [artifact] = run_record.artifacts["value:churn/thing"]
    assert "Strange has no fingerprint" in str(artifact.custom_properties["not_hashed"])


@pytest.mark.parametrize(
    ("mode", "error"),
    [
        ("sequential", "DatasetError"),
        ("threads", "DatasetError"),
        ("processes", "NotSaved"),  # a worker is not told why
        ("spawned", "NotSaved"),
    ],
)
def test_an_output_that_cannot_be_saved(
    project: Project, url: str, store: LineageStore, mode: str, error: str
) -> None:
    nodes = """
    def make():
        return {1, 2}

    NODES = [node(make, None, "numbers", name="make")]
    """
    write(project, nodes, "numbers: {type: json.JSONDataset, filepath: data/numbers.json}")
    code, printed = project.run(url, mode)
    assert code != 0, printed
    run_record = recorded(store, project)
    assert (run_record.state, run_record.states()) == ("FAILED", {"make": ["FAILED"]})
    assert error in run_record.steps["make"][0].properties["error_type"]


def test_an_input_that_cannot_be_loaded(project: Project, url: str, store: LineageStore) -> None:
    raw = project.path("raw")
    assert raw is not None
    raw.unlink()
    for cache in ("0", "1"):
        code, printed = project.run(url, LINEAGE_STORE_CACHE=cache)
        assert code != 0, printed
        assert recorded(store, project).state == "FAILED"


@pytest.mark.parametrize("mode", ["sequential", "threads"])
def test_ctrl_c(project: Project, url: str, store: LineageStore, mode: str) -> None:
    hold = project.ask("hold", "train_small")
    process = project.start(url, mode)
    project.await_held("train_small", process)
    process.send_signal(signal.SIGINT)
    if mode == "threads":  # Kedro waits for them
        hold.unlink()
    process.communicate(timeout=60)
    until(lambda: recorded(store, project).state == "CANCELED")
    run_record = recorded(store, project)
    assert run_record.steps["clean"][0].state == "COMPLETE"
    assert run_record.properties["error_type"] == "Lost"


def test_a_pipeline_of_a_name(project: Project, url: str, store: LineageStore) -> None:
    nodes = """
    def make(parameters):
        return parameters["floor"]

    NODES = [node(make, "parameters", "n", name="make", tags=["quick"])]
    """
    write(project, nodes)
    registry = project.directory / "src/churn/pipeline_registry.py"
    registry.write_text(registry.read_text().replace("__default__", "night"))
    command = [*ADAPTER.command("sequential"), "--pipelines=night", "--tags=quick"]
    project.succeed_with(command, url)
    run_record = recorded(store, project)
    assert run_record.contexts["Pipeline"] == {"churn.night"}
    assert run_record.properties["runner"]
    assert "quick" in str(run_record.properties["tags"])
    assert run_record.steps["make"][0].params["parameters"]["floor"] == 2


def test_the_hook_can_be_switched_off_in_the_settings(project: Project, url: str) -> None:
    settings = project.directory / "src/churn/settings.py"
    settings.write_text('DISABLE_HOOKS_FOR_PLUGINS = ("lineage-store",)\n')
    project.succeed(url)
    assert not Path(url.removeprefix("sqlite:///")).exists()
