"""Results that a step function takes over from a hit: values, and files at their places."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lineage_store import LineageStore
from lineage_store.fingerprints import fingerprint
from lineage_store.recording import StepFunction, diagnostics, step
from tests.conformance.step_stores import WAYS, Count, opened


@pytest.fixture(params=WAYS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LineageStore]:
    with opened(request.param, tmp_path) as store:
        yield store


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    diagnostics.reset()


def states(store: LineageStore) -> list[str]:
    """Return type and state of the executions of steps, in their order."""
    store.flush_recording()
    executions = [each for each in store.iter_executions() if each.type != "PipelineRun"]
    return [f"{each.type} {each.state}" for each in executions]


def the_example(store: LineageStore, directory: Path) -> None:
    """Run the example of docs/recording.md, with a model behind it."""

    @step(cache=True, outputs=["table"])
    def tidy(raw: Path, table: Path, floor: int) -> None:
        table.write_text(raw.read_text().upper())

    @step(cache=True, outputs=["model"])
    def train(table: Path, model: Path, depth: int) -> None:
        model.write_text(f"{depth} {table.read_text()}")

    (directory / "raw.csv").write_text("id,churned\n1,0\n")
    for depth, day in enumerate(("monday", "tuesday")):
        with store.run(day, pipeline="churn"):
            tidy(directory / "raw.csv", directory / f"{day}.csv", floor=2)
            train(directory / f"{day}.csv", directory / f"{day}.model", depth)


def names(artifacts: Any) -> set[str]:
    return {Path(artifact.uri or "").name for artifact in artifacts}


def test_a_file_that_is_restored_elsewhere_has_its_lineage(
    store: LineageStore, tmp_path: Path
) -> None:
    the_example(store, tmp_path)
    assert states(store) == ["tidy COMPLETE", "train COMPLETE", "tidy CACHED", "train COMPLETE"]
    upstream = store.lineage(uri=str(tmp_path / "tuesday.model")).upstream()
    assert upstream.verdict.complete
    assert names(upstream.artifacts) >= {"tuesday.model", "tuesday.csv", "raw.csv"}
    [raw] = store.lineage(uri=str(tmp_path / "raw.csv")).upstream().artifacts
    impact = store.impact(raw)
    every = {"monday.csv", "monday.model", "tuesday.csv", "tuesday.model"}
    assert names(impact.lineage.artifacts) == {"raw.csv"} | every
    steps = {e.type: [] for e in store.iter_executions()}
    for each in store.iter_executions():
        steps[each.type].append(each.id)
    invalid = store.cache.invalidate(
        by="me", why="bad", executions=steps["tidy"][:1], transitive=True, dry_run=True
    )
    assert {entry.execution_id for entry in invalid} == {steps["tidy"][0], *steps["train"]}


def test_a_copy_is_of_the_type_of_the_original(store: LineageStore, tmp_path: Path) -> None:
    def make(directory: Path) -> None:
        with store.run("nightly") as run, run.step("make", cache=True) as make_step:
            if make_step.hit is None:
                path = directory / "data"
                path.write_text("x")
                make_step.output("data", path, type="Dataset", properties={"rows": 3})
            else:
                (directory / "copy").write_text("x")
                make_step.record_copy("data", directory / "copy")

    for _ in range(2):
        make(tmp_path)
    store.flush_recording()
    original, copy = store.iter_artifacts()
    assert (copy.type, copy.uri) == ("Dataset", str(tmp_path / "copy"))
    assert copy.custom_properties == original.custom_properties
    assert copy.custom_properties["rows"] == 3
    assert copy.external_id == f"{copy.uri}@{fingerprint(Path(str(copy.uri)))}"


def test_a_copy_where_an_artifact_of_another_type_is_known(
    store: LineageStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    @step(cache=True, outputs=["target"])
    def write(target: Path) -> None:
        target.write_text("x")

    (tmp_path / "other").write_text("x")
    with store.run("nightly") as run:
        write(tmp_path / "one")
        with run.step("look") as looking:
            looking.output("other", tmp_path / "other", type="Dataset")
    with store.run("nightly"):
        write(tmp_path / "other")
    assert states(store) == ["write COMPLETE", "look COMPLETE", "write CACHED"]
    [other] = store.iter_artifacts(where=f"uri = '{tmp_path / 'other'}'")
    *_, cached = store.iter_executions(where="type = 'write'")
    assert other.type == "Dataset"
    assert other.id in {event.artifact_id for event in store.list_events(execution=cached)}


def entries(directory: Path) -> list[str]:
    return [path.name for path in directory.iterdir()]


def writing(calls: Count) -> StepFunction[[str, Path], None]:
    """Return a step that writes a directory or a file."""

    @step(cache=True, outputs=["target"])
    def write(content: str, target: Path) -> None:
        calls()
        if content == "directory":
            (target / "in").mkdir(parents=True)
            (target / "in" / "a").write_text("a")
            (target / "b").write_text("b")
            (target / "b").chmod(0o640)
            (target / "link").symlink_to("b")
            (target / "gone").symlink_to("nowhere")
            (target / "in" / "up").symlink_to("..")
        else:
            target.write_text(content)
            target.chmod(0o750)

    return write


@pytest.mark.parametrize("content", ["file", "directory"])
def test_restoring_leaves_nothing_else(store: LineageStore, tmp_path: Path, content: str) -> None:
    calls = Count()
    write = writing(calls)
    targets = [tmp_path / name / "target" for name in ("one", "new", "file", "directory")]
    targets[2].parent.mkdir()
    targets[2].write_text("what was there, and is longer")
    (targets[3] / "stale").mkdir(parents=True)
    targets[0].parent.mkdir()
    for target in targets:
        with store.run("nightly"):
            write(content, target)
    assert calls.calls == 1
    assert len({fingerprint(target) for target in targets}) == 1
    for target in targets:
        assert entries(target.parent) == ["target"]
        path = target if content == "file" else target / "b"
        assert path.stat().st_mode & 0o777 == (0o750 if content == "file" else 0o640)
    before = [target.stat().st_ino for target in targets]
    for target in targets:
        with store.run("nightly"):
            write(content, target)
    assert [target.stat().st_ino for target in targets] == before  # the same content: not written
    assert calls.calls == 1


def test_a_directory_in_which_the_process_lies_is_not_replaced(
    store: LineageStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = Count()
    place = tmp_path / "place"
    (place / "within").mkdir(parents=True)
    (place / "mine").write_text("mine")

    @step(cache=True, outputs=["target"])
    def write(target: Path) -> None:
        calls()
        target.mkdir(exist_ok=True)
        (target / "a").write_text("a")

    with store.run("nightly"):
        write(tmp_path / "target")
    monkeypatch.chdir(place / "within")
    with store.run("nightly"):
        write(Path(".."))
    assert calls.calls == 2
    assert sorted(entries(place)) == ["a", "mine", "within"]


@pytest.mark.parametrize("content", ["file", "directory"])
def test_an_interrupted_restore_leaves_what_was_there(
    store: LineageStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    write = writing(Count())
    target = tmp_path / "there" / "target"
    with store.run("nightly"):
        write(content, tmp_path / "target")
    (target if content == "directory" else target.parent).mkdir(parents=True)
    old = target / "old" if content == "directory" else target
    old.write_text("old")

    def interrupted(self: Path, place: Path) -> None:
        if self.name.startswith(".") and (content == "file" or self.joinpath("in").exists()):
            raise KeyboardInterrupt
        os.replace(self, place)  # noqa: PTH105 - what is called here is replaced

    monkeypatch.setattr(Path, "replace", interrupted)
    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt), store.run("nightly"):
        write(content, target)
    assert old.read_text() == "old"
    assert entries(target.parent) == ["target"]


def test_paths_are_returned_as_they_were(store: LineageStore, tmp_path: Path) -> None:
    calls = Count()

    @step(cache=True, outputs=["log"])
    def make(log: Path) -> dict[str, Path]:
        calls()
        paths = {name: tmp_path / name for name in ("b", "a")}
        for path in (log, *paths.values()):
            path.write_text(path.name)
        return paths

    results = []
    for name in ("log", "other"):
        with store.run("nightly"):
            results.append(make(tmp_path / name))
    assert calls.calls == 1
    assert list(results[0].items()) == list(results[1].items())


def values() -> list[Any]:
    """Return values, and the suffix of the file that each is kept in."""
    np, pd, pl = (pytest.importorskip(name) for name in ("numpy", "pandas", "polars"))
    arrow = pytest.importorskip("pyarrow")
    frame = pd.DataFrame({"a": [1, None], "b": ["x", "y"]}, index=pd.Index([3, 5], name="id"))
    named, strict = frame.copy(), frame.set_flags(allows_duplicate_labels=False)
    named.attrs["unit"] = "m"
    return [
        ("", {"b": 1, "a": [2, None]}),
        ("", [1.5, float("nan"), -0.0, True, "\ud800"]),
        ("", b"\x00\x01"),
        (".txt", "é\r\n\x00" * 50_000),
        (".bin", bytes(range(256)) * 1000),
        (".json", {"z": list(range(40_000)), "a": 1}),
        (".npy", np.arange(6.0).reshape(2, 3).T),
        (".npy", np.array([(1, "a")], [("x", "i4"), ("y", "U3")])),
        (".parquet", frame),
        (".parquet", named),
        (".parquet", frame.astype({"b": "category"})),
        (".pickle", strict),
        (".pickle", frame.rename(columns={"a": 1})),
        (".pickle", pd.DataFrame({"a": [1, 2]}, index=pd.date_range("2026", periods=2))),
        (".pickle", frame["a"]),
        (".parquet", pl.DataFrame({"a": [1, None], "b": [["x"], []]})),
        (".parquet", arrow.table({"a": [1, None]}).replace_schema_metadata({"k": "v"})),
        (".pickle", np.array(["a", None], object)),
        (".pickle", (1, {2})),
        (".pickle", np.float32(1.5)),
    ]


def test_values_come_back_exactly_in_the_safest_form(store: LineageStore, tmp_path: Path) -> None:
    calls = Count()
    expected = values()

    @step(cache=True, save=tmp_path / "saved")
    def make(at: int) -> Any:
        calls()
        return expected[at][1]

    for at, (suffix, value) in enumerate(expected):
        before = set((tmp_path / "saved").glob("*"))
        for _ in range(2):
            with store.run("nightly"):
                result = make(at)
            assert type(result) is type(value)
            assert fingerprint(result) == fingerprint(value)
        new = set((tmp_path / "saved").glob("*")) - before
        assert {path.suffix for path in new} - {".seal"} == ({suffix} if suffix else set()), at
        assert calls.calls == at + 1


class Forgetful:
    """A value that does not survive its pickle."""

    def __reduce__(self) -> Any:
        return _broken, ()


def _broken() -> None:
    raise ValueError


def test_what_does_not_come_back_is_not_kept(
    store: LineageStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    calls = Count()

    @step(cache=True, save=tmp_path / "saved")
    def make(kind: str) -> Any:
        calls()
        return Forgetful() if kind == "broken" else iter([])

    for _ in range(2):
        with store.run("nightly"):
            make("broken")
    assert calls.calls == 2
    assert "make is not cached" in caplog.text
