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
    found = f"sqlite:///{tmp_path / 'lineage.db'}"
    inputs = {"raw": Path("raw.csv")}
    with (
        connect(found) as store,
        store.run("nightly") as nightly,
        nightly.step("train", inputs=inputs) as step,
    ):
        step.output("model", Path("model.pkl"), type="Model")
    return found


def test_a_file_is_named_by_its_content(url: str) -> None:
    known = lines(url, "lineage", "artifact:2")
    assert known[0].startswith("Model model.pkl  sha256:")
    digest = known[0].split()[2]
    Path("copy.pkl").write_text("2")
    for name in ("./model.pkl", "model.pkl", "uri:model.pkl", f"digest:{digest}", "copy.pkl"):
        assert lines(url, "lineage", name) == known, name
    assert lines(url, "paths", "raw.csv", "./model.pkl")[0] == "Path 1: 2 hops"
    assert "Affected: 1 Model; 1 step" in lines(url, "impact", "raw.csv")
    assert lines(url, "compare", "raw.csv", digest)[1].startswith("Model model.pkl")


def test_other_artifacts_of_the_content_are_told(url: str) -> None:
    Path("copy.pkl").write_text("2")
    with connect(url) as store, store.run("nightly") as nightly, nightly.step("copy") as step:
        step.output("copy", Path("copy.pkl"))
    done = run(url, "lineage", "model.pkl")
    assert done.stdout.startswith("Model model.pkl")
    assert done.stderr.startswith(
        "model.pkl is artifact:2, recorded at this path; 1 other artifact"
    )


def test_a_file_of_unknown_content(url: str) -> None:
    Path("model.pkl").write_text("changed")
    done = run(url, "lineage", "model.pkl")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: model.pkl was recorded once, never with this content (")


def test_a_file_names_the_entries_and_events_of_its_artifact(url: str) -> None:
    made = {"version": "1", "cache": True}
    with connect(url) as store, store.run("nightly") as nightly:
        with nightly.step("copy", **made) as step:  # type: ignore[arg-type]
            step.output("model", Path("model.pkl"))
        store.flush_recording()
    for name in ("./model.pkl", "uri:model.pkl", "2"):
        assert len(lines(url, "cache", "list", "--artifact", name)) == 2
        assert len(lines(url, "events", "list", "--artifact", name)) == 3
    dry = ("--why", "bad", "--dry-run")
    assert len(lines(url, "cache", "invalidate", "--artifact", "model.pkl", *dry)) == 2
    done = run(url, "cache", "list", "--artifact", "execution:2")
    assert (done.returncode, done.stderr) == (
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
    found = f"sqlite:///{tmp_path / 'lineage.db'}"
    with connect(found) as store, store.run("nightly") as nightly:
        for name, places in (("both", ("train", "test")), ("one", ("train",))):
            inputs = dict.fromkeys(places, Path("d.csv"))
            with nightly.step("fit", inputs=inputs) as step:
                Path(name).write_text(name)
                step.output("model", Path(name), type="Model")
    assert "train, test: Artifact d.csv" in lines(found, "lineage", "both")[2]
    told = lines(found, "compare", "both", "one")
    assert told[2:4] == ["DATA:", f"  fit  inputs.test: {told[3].split(': ', 1)[1]}"]
    assert told[3].endswith("(artifact:1) → (none)")
