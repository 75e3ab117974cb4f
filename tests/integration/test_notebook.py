"""Cells run by a real kernel: the last line of a cell shows a table or a picture."""

from collections.abc import Sequence

import nbformat
import pytest
from nbclient import NotebookClient

SETUP = """
from pathlib import Path
from lineage_store import connect
from lineage_store.recording.history import list_runs, read_run

Path("train.csv").write_text("a,b\\n1,2\\n")
store = connect("notebook.db")
models = []
for depth in (3, 4):
    with store.run("nightly") as run:
        inputs = {"table": Path("train.csv")}
        with run.step("train", inputs=inputs, params={"depth": depth}) as step:
            Path(f"model-{depth}.pkl").write_text(str(depth))
            models.append(step.output("model", Path(f"model-{depth}.pkl"), type="Model"))
            step.metric("accuracy", 0.9)
store.flush_recording()
newest = store.artifacts.list(type="Model", ascending=False).items
"""

pytestmark = pytest.mark.xdist_group("notebook")  # whose kernel is started once

CELLS = {
    "store.artifacts.list(type='Model')": ["<table>", "Model", "model-3.pkl"],
    "newest[0]": ["<table>", "model-4.pkl"],
    "step": ["<table>", "train", "accuracy"],
    "run": ["<table>", "nightly"],
    "list_runs(store)": ["<table>", "nightly", "COMPLETE"],
    "read_run(store, None)": ["<table>", "train", "COMPLETE"],
    "store.lineage(newest[0]).upstream()": ["<svg", "train"],
    "store.compare(newest[0], newest[1])": ["<table>", "parameters.depth"],
    "store.executions.list().to_pandas()[['type', 'state']]": ["<table", "COMPLETE"],
}


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The HTML that each cell shows."""
    sources = [SETUP, *CELLS]
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [nbformat.v4.new_code_cell(source) for source in sources]
    directory = tmp_path_factory.mktemp("notebook")
    resources = {"metadata": {"path": str(directory)}}
    NotebookClient(notebook, timeout=120, kernel_name="python3", resources=resources).execute()
    return {cell.source: html_of(cell.outputs) for cell in notebook.cells[1:]}


def html_of(outputs: Sequence[nbformat.NotebookNode]) -> str:
    return "".join(output.get("data", {}).get("text/html", "") for output in outputs)


@pytest.mark.parametrize("source", CELLS)
def test_the_last_line_of_a_cell_is_shown(pages: dict[str, str], source: str) -> None:
    for text in CELLS[source]:
        assert text in pages[source]
