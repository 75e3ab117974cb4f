"""The commands on lineage take files, relative paths and digests, as a user gives them."""

from pathlib import Path

import pytest

from lineage_store import connect
from tests.acceptance.test_cli_lineage import lines, run


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A store with raw.csv, of which model.pkl was made in the current directory."""
    monkeypatch.chdir(tmp_path)
    Path("raw.csv").write_text("1")
    Path("model.pkl").write_text("2")
    store_url = f"sqlite:///{tmp_path / 'lineage.db'}"
    inputs = {"raw": Path("raw.csv")}
    with (
        connect(store_url) as store,
        store.run("nightly") as nightly,
        nightly.step("train", inputs=inputs) as step,
    ):
        step.output("model", Path("model.pkl"), type="Model")
    return store_url


def test_a_file_is_named_by_its_content(url: str) -> None:
    lineage = lines(url, "lineage", "artifact:2")
    assert lineage[0].startswith("Model model.pkl  sha256:")
    digest = lineage[0].split()[2]
    Path("copy.pkl").write_text("2")
    for name in ("./model.pkl", "model.pkl", "uri:model.pkl", f"digest:{digest}", "copy.pkl"):
        assert lines(url, "lineage", name) == lineage, name
    assert lines(url, "paths", "raw.csv", "./model.pkl")[0] == "Path 1: 2 hops"
    assert "Affected: 1 Model; 1 step" in lines(url, "impact", "raw.csv")
    assert lines(url, "compare", "raw.csv", digest)[1].startswith("Model model.pkl")


def test_other_artifacts_of_the_content_are_told(url: str) -> None:
    Path("copy.pkl").write_text("2")
    with connect(url) as store, store.run("nightly") as nightly, nightly.step("copy") as step:
        step.output("copy", Path("copy.pkl"))
    result = run(url, "lineage", "model.pkl")
    assert result.stdout.startswith("Model model.pkl")
    assert result.stderr.startswith(
        "model.pkl is artifact:2, recorded at this path; 1 other artifact"
    )


def test_a_file_of_unknown_content(url: str) -> None:
    Path("model.pkl").write_text("changed")
    result = run(url, "lineage", "model.pkl")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("error: model.pkl was recorded once, never with this content (")


def test_a_file_names_the_entries_and_events_of_its_artifact(url: str) -> None:
    options = {"version": "1", "cache": True}
    with connect(url) as store, store.run("nightly") as nightly:
        with nightly.step("copy", **options) as step:  # type: ignore[arg-type]
            step.output("model", Path("model.pkl"))
        store.flush_recording()
    for name in ("./model.pkl", "uri:model.pkl", "2"):
        assert len(lines(url, "cache", "list", "--artifact", name)) == 2
        assert len(lines(url, "events", "list", "--artifact", name)) == 3
    dry = ("--why", "bad", "--dry-run")
    assert len(lines(url, "cache", "invalidate", "--artifact", "model.pkl", *dry)) == 2
    result = run(url, "cache", "list", "--artifact", "execution:2")
    assert (result.returncode, result.stderr) == (
        1,
        "error: execution:2 is no artifact [INVALID_ARGUMENT]\n",
    )


def test_help_names_both(url: str) -> None:
    shown = run(url, "lineage", "--help").stdout
    assert "digest:sha256:9f86..." in shown
    assert "./model.pkl" in shown


def test_an_input_under_two_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("d.csv").write_text("1")
    store_url = f"sqlite:///{tmp_path / 'lineage.db'}"
    with connect(store_url) as store, store.run("nightly") as nightly:
        for name, places in (("both", ("train", "test")), ("one", ("train",))):
            inputs = dict.fromkeys(places, Path("d.csv"))
            with nightly.step("fit", inputs=inputs) as step:
                Path(name).write_text(name)
                step.output("model", Path(name), type="Model")
    assert "train, test: Artifact d.csv" in lines(store_url, "lineage", "both")[2]
    comparison = lines(store_url, "compare", "both", "one")
    assert comparison[2:4] == ["DATA:", f"  fit  inputs.test: {comparison[3].split(': ', 1)[1]}"]
    assert comparison[3].endswith("(artifact:1) → (none)")
