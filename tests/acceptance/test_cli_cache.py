"""The commands on the cache, on runs and on the spool, as a user sees them."""

import json
import re
import sys
from contextlib import redirect_stderr, redirect_stdout
from hashlib import sha256
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from lineage_store import (
    Artifact,
    ArtifactType,
    Context,
    ContextType,
    Execution,
    ExecutionType,
    LineageStore,
    connect,
)
from lineage_store.cli import dag
from lineage_store.cli.main import main
from lineage_store.client.records import StepRecord
from lineage_store.recording import RecordingOptions, Run
from lineage_store.recording.delivery.records import STEP, Record
from lineage_store.recording.delivery.replay import Spool, spool_path
from lineage_store.v1 import cache_pb2

AWAY = "grpc://127.0.0.1:1"
"""A server that is not there."""


def pipeline(store: LineageStore, depth: int) -> None:
    """Run four steps: b and c after a, d after both; the depth goes into c."""
    with store.run("nightly", pipeline="churn") as run:
        a = step(run, "a")
        b, c = step(run, "b", {"a": a}), step(run, "c", {"a": a}, depth=depth)
        step(run, "d", {"b": b, "c": c})


def step(run: Run, name: str, inputs: dict[str, Artifact] | None = None, **params: int) -> Artifact:
    """Run a step whose output depends on the names of its inputs and on its parameters."""
    with run.step(name, inputs=inputs, params=params, cache=True) as ran:
        if ran.hit is None:
            uris = [str(artifact.uri) for artifact in (inputs or {}).values()]
            content = sha256(repr([name, uris, params]).encode()).hexdigest()
            ran.output("out", uri=f"s3://{name}/{content}", digest=f"sha256:{content}")
    return ran.outputs["out"][0]


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A store in which a pipeline ran three times: new, unchanged, and with another depth."""
    monkeypatch.setenv("LINEAGE_STORE_SPOOL", str(tmp_path / "spool"))
    monkeypatch.setenv("LINEAGE_STORE_CAPTURE", "none")
    store_url = f"sqlite:///{tmp_path / 'lineage.db'}"
    with connect(store_url) as store:
        for depth in (6, 6, 8):
            pipeline(store, depth)
        with pytest.raises(ValueError, match="no"), store.run("other") as run, run.step("x\x1b"):
            raise ValueError("no\x1b data")
    return store_url


class Done(NamedTuple):
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


def run(*args: str, answer: str = "") -> Done:
    """Run a command in this process, as its entry point does, with an answer to its question."""
    out, err, code = StringIO(), StringIO(), 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", ["lineage-store", *args])
        patch.setattr(sys, "stdin", StringIO(answer))
        try:
            main()
        except SystemExit as stopped:
            code = int(stopped.code or 0)
    return Done(code, out.getvalue(), err.getvalue())


def lines(*args: str) -> list[str]:
    process = run(*args)
    assert (process.returncode, process.stderr) == (0, "")
    return process.stdout.splitlines()


def as_json(*args: str) -> Any:
    process = run(*args, "--json")
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout)


def test_runs_are_listed(url: str) -> None:
    header, *rows = lines("runs", "list", "--store", url)
    assert header.split() == ["RUN", "PIPELINE", "STATE", "STARTED", "AT", "DURATION"]
    assert [row.split()[1:3] for row in rows] == [["other", "FAILED"]] + [["churn", "COMPLETE"]] * 3
    runs = as_json("runs", "list", "--store", url, "--pipeline", "churn", "--limit", "2")
    assert {(one["name"], one["state"]) for one in runs} == {("nightly", "COMPLETE")}
    assert runs[0]["started_at"] >= runs[1]["started_at"]
    process = run("runs", "list", "--store", url, "--limit", "3")
    token = process.stderr.split()[-1]
    assert len(lines("runs", "list", "--store", url, "--page-token", token)) == 2
    assert as_json("runs", "list", "--store", url, "--name", "it's \\ not there") == []


def test_a_run_is_drawn(url: str) -> None:
    heading, counts, empty, *drawing = lines("runs", "show", "nightly", "--store", url)
    assert "of churn  COMPLETE" in heading
    assert (counts, empty) == ("4 steps: 2 CACHED, 2 COMPLETE", "")
    shape = [line.split("(")[0].split() for line in drawing]
    assert [words[:-2] for words in shape if "ms" in words] == [
        ["●", "a", "CACHED"],
        ["●", "│", "b", "CACHED"],
        ["│", "●", "c", "COMPLETE"],
        ["●", "d", "COMPLETE"],
    ]
    assert [line for line in drawing if "ms" not in line] == ["├─╮", "├─╯"]
    assert "from execution" in drawing[0]
    assert "NEVER_SEEN" in drawing[3]


def test_a_run_that_failed_is_drawn_safely(url: str) -> None:
    heading, error, counts, _, drawing = lines("runs", "show", "--store", url)
    assert heading.startswith("other@")
    assert error == r"ValueError: no\x1b data"
    assert counts == "1 step: 1 FAILED"
    assert drawing.startswith(r"●  x\x1b  FAILED")


def test_a_run_as_json(url: str) -> None:
    run_history = as_json("runs", "show", "nightly", "--store", url)
    a, b, c, d = run_history["steps"]
    assert [step["is_cached"] for step in run_history["steps"]] == [True, True, False, False]
    assert a["after"] == []
    assert b["after"] == c["after"] == [a["execution_id"]]
    assert d["after"] == [b["execution_id"], c["execution_id"]]
    assert a["original_execution_id"] < a["execution_id"]
    assert as_json("runs", "show", run_history["summary"]["run"], "--store", url) == run_history


def test_a_run_that_is_under_way_or_was_killed(url: str) -> None:
    with connect(url) as store, store.run("long") as run_, run_.step("slow"):
        store.flush_recording()
        heading, counts, _, drawing = lines("runs", "show", "long", "--store", url)
    assert "RUNNING  -" in heading
    assert counts == "1 step: 1 RUNNING"
    assert re.search(r"RUNNING  -  \(execution:\d+\) last heard of 20", drawing)


def test_a_run_of_another_orchestrator_is_drawn(url: str) -> None:
    with connect(url) as store:
        store.put_context_type(ContextType(name="system.PipelineRun"))
        store.put_execution_type(ExecutionType(name="system.ContainerExecution"))
        store.put_artifact_type(ArtifactType(name="system.Dataset"))
        artifact = Artifact(type="system.Dataset", uri="s3://x")
        for name, state in (("load", "CACHED"), ("fit", "RUNNING")):
            properties = {"display_name": name, "cached_execution_id": "7"}
            ids = store.record_execution(
                Execution(
                    type="system.ContainerExecution", state=state, custom_properties=properties
                ),
                inputs=[artifact] if artifact.id else [],
                outputs=[] if artifact.id else [artifact],
                contexts=[Context(type="system.PipelineRun", name="kfp-1")],
            )
            artifact = store.get_artifact([*ids.input_ids, *ids.output_ids][0])
    run_history = as_json("runs", "show", "kfp-1", "--store", url)
    load, fit = run_history["steps"]
    assert [load["name"], load["is_cached"], load["original_execution_id"]] == ["load", True, 7]
    assert (fit["name"], fit["after"]) == ("fit", [load["execution_id"]])
    assert lines("runs", "show", "kfp-1", "--store", url)[1] == "2 steps: 1 CACHED, 1 RUNNING"


def test_what_has_no_way_between_is_not_drawn_as_if() -> None:
    def draw(before: dict[int, list[int]]) -> list[str]:
        return [f"{lanes.rstrip()} {node or ''}".strip() for lanes, node in dag.draw(before)]

    assert draw({1: [], 2: []}) == ["● 1", "", "● 2"]
    assert draw({1: [], 2: [1]}) == ["● 1", "● 2"]
    assert draw({1: [], 2: [], 3: [1]}) == ["● 1", "● 3", "", "● 2"]
    crossed = draw({1: [], 2: [1], 3: [1], 4: [1], 5: [2, 4], 6: [3, 5]})
    assert crossed == [
        "● 1", "├─┬─╮", "● │ │ 2", "│ ● │ 3", "│ │ ● 4", "├─┼─╯", "● │ 5", "├─╯", "● 6"
    ]  # fmt: skip
    wide = draw({at: [0] for at in range(1, 100)} | {0: []})
    assert len(wide) == 100
    assert draw({1: [2], 2: [1]}) == ["● 1", "● 2"]


def test_entries_are_listed(url: str) -> None:
    header, *rows = lines("cache", "list", "--store", url)
    assert header.split()[:5] == ["ID", "SCOPE", "KEY", "EXECUTION", "STEP"]
    assert [row.split()[3] for row in rows] == ["d", "c", "d", "c", "b", "a"]
    deep = as_json("cache", "list", "--store", url, "--component", "parameters.depth=8")
    assert [entry["components"]["parameters.depth"] for entry in deep] == ["8"]
    by_text = as_json("cache", "list", "--store", url, "--component", "step=a")
    assert [entry["hit_count"] for entry in by_text] == [2]
    assert as_json("cache", "list", "--store", url, "--key", by_text[0]["key"]) == by_text
    process = run("cache", "list", "--store", url, "--limit", "4")
    token = process.stderr.split()[-1]
    assert len(lines("cache", "list", "--store", url, "--page-token", token)) == 3


def test_the_cache_is_counted(url: str) -> None:
    stats = as_json("cache", "stats", "--store", url)
    assert (stats["entries"], stats["hits"], stats["invalidated"]) == (6, 6, 0)
    assert "hits:        6" in lines("cache", "stats", "--store", url)
    assert as_json("cache", "stats", "--store", url, "--scope", "nowhere")["entries"] == 0


def entry_of(url: str, step_name: str, at: int = 0) -> dict[str, Any]:
    entries: list[dict[str, Any]] = as_json("cache", "list", "--invalidated", "--store", url)
    return [entry for entry in entries if entry["components"]["step"] == f'"{step_name}"'][at]


def test_a_miss_is_explained(url: str) -> None:
    ran, before = (entry_of(url, "c", at)["execution_id"] for at in (0, 1))
    assert lines("cache", "explain", str(ran), "--store", url) == [
        f"execution {ran}: NEVER_SEEN: nothing was published for it",
        f"compared with execution {before}, of whose components 2 are the same:",
        "  parameters.depth: 6 → 8",
    ]
    explanation = as_json("cache", "explain", str(ran), "--store", url)
    [difference] = explanation["differences"]
    assert difference == {"name": "parameters.depth", "stored": "6", "given": "8"}
    against = str(entry_of(url, "b")["execution_id"])
    other = as_json("cache", "explain", str(ran), "--against", against, "--store", url)
    names = [difference["name"] for difference in other["differences"]]
    assert names == ["parameters.depth", "step"]
    first = str(entry_of(url, "a")["execution_id"])
    assert "no earlier entry" in lines("cache", "explain", first, "--store", url)[1]


def test_what_has_no_miss_is_not_explained(url: str) -> None:
    cached = as_json("runs", "show", "nightly", "--store", url)["steps"][0]["execution_id"]
    process = run("cache", "explain", str(cached), "--store", url)
    assert (process.returncode, process.stdout) == (1, "")
    assert "was served from the cache" in process.stderr
    failed = as_json("runs", "show", "other", "--store", url)["steps"][0]["execution_id"]
    assert "published no cache entry" in run("cache", "explain", str(failed), "--store", url).stderr


def invalidate(url: str, *args: str, answer: str = "") -> Done:
    command = ("cache", "invalidate", "--why", "bad labels", "--by", "me", "--store", url)
    return run(*command, *args, answer=answer)


def count_invalidated(url: str) -> int:
    count: int = as_json("cache", "stats", "--store", url)["invalidated"]
    return count


def test_entries_are_invalidated_after_a_look(url: str) -> None:
    execution = str(entry_of(url, "c", 1)["execution_id"])
    shown = invalidate(url, "--execution", execution, "--transitive", "--dry-run")
    assert [row.split()[3] for row in shown.stdout.splitlines()[1:]] == ["d", "c"]
    refused = invalidate(url, "--execution", execution, answer="n\n")
    assert (refused.returncode, count_invalidated(url)) == (1, 0)
    assert "Invalidate 1 entry?" in refused.stderr
    assert invalidate(url, "--execution", execution).returncode == 1  # there is nobody to ask
    agreed = invalidate(url, "--execution", execution, "--transitive", answer="y\n")
    assert (agreed.returncode, count_invalidated(url)) == (0, 2)
    assert "invalidated 2 entries" in agreed.stderr
    assert "INVALIDATED by me: bad labels" in run(
        "cache", "list", "--invalidated", "--store", url
    ).stdout  # fmt: skip
    again = invalidate(url, "--execution", execution)
    assert (again.returncode, again.stdout) == (0, "")


def test_entries_are_invalidated_by_programs(url: str) -> None:
    process = invalidate(url, "--component", "step=a", "--transitive", "--yes", "--json")
    assert (process.returncode, len(json.loads(process.stdout))) == (0, 6)
    assert count_invalidated(url) == 6
    with connect(url) as store:
        pipeline(store, 6)
    assert lines("runs", "show", "--store", url)[1] == "4 steps: 4 COMPLETE"
    ran = str(entry_of(url, "a")["execution_id"])
    _, reason = lines("cache", "explain", ran, "--store", url)
    assert reason.endswith("whose entry is INVALIDATED by me: bad labels")


@pytest.mark.parametrize(
    ("code", "args"),
    [
        (1, ["runs", "show", "nope"]),
        (1, ["cache", "explain", "999"]),
        (1, ["cache", "explain", "2", "--against", "999"]),
        (2, ["cache", "explain", "x"]),
        (2, ["cache", "invalidate", "--execution", "2"]),
        (2, ["cache", "invalidate", "--why", "x"]),
        (2, ["cache", "list", "--key", "abc"]),
        (2, ["cache", "list", "--component", "code"]),
        (2, ["cache", "list", "--published-before", "soon"]),
        (2, ["runs", "list", "--limit", "0"]),
        (3, ["runs", "list", "--store", "sqlite:////nowhere/lineage.db"]),
    ],
)
def test_exit_codes(url: str, code: int, args: list[str]) -> None:
    process = run(*args, *([] if "--store" in args else ["--store", url]))
    assert (process.returncode, process.stdout) == (code, "")
    assert "Traceback" not in process.stderr


@pytest.fixture
def spooled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The spool file of a run whose store was away."""
    monkeypatch.setenv("LINEAGE_STORE_SPOOL", str(tmp_path / "spool"))
    options = RecordingOptions(decide_seconds=0.2, flush_seconds=0.5)
    with connect(AWAY, connect_timeout=None, recording=options) as store:
        pipeline(store, 6)
    return spool_path(AWAY)


def test_what_is_spooled_is_shown_and_replayed(spooled: Path, tmp_path: Path) -> None:
    [status] = as_json("spool", "status")
    assert (status["url"], status["refused"], status["path"]) == (AWAY, 0, str(spooled))
    assert status["pending"] > 5
    assert AWAY in lines("spool", "status", "--file", str(spooled))[1]
    url = f"sqlite:///{tmp_path / 'later.db'}"
    process = run("spool", "replay", "--file", str(spooled), "--store", url)
    assert process.returncode == 0, process.stderr
    assert process.stdout == f"{url}: {status['pending']} sent, 0 refused, 0 left\n"
    assert lines("runs", "show", "--store", url)[1] == "4 steps: 4 COMPLETE"
    assert as_json("spool", "status")[0]["pending"] == 0
    assert lines("spool", "replay") == ["nothing waits"]


def test_a_store_that_is_still_away_loses_nothing(spooled: Path) -> None:
    before = as_json("spool", "status")
    process = run("spool", "replay")
    assert (process.returncode, process.stdout) == (3, "")
    assert as_json("spool", "status") == before


def test_a_damaged_spool_is_told_and_saved(spooled: Path, tmp_path: Path) -> None:
    content = spooled.read_bytes()
    spooled.write_bytes(content[: len(content) // 2])
    process = run("spool", "status")
    assert process.returncode == 3
    assert "SPOOL_DAMAGED" in process.stderr
    url = f"sqlite:///{tmp_path / 'later.db'}"
    replay = ("spool", "replay", "--file", str(spooled), "--store", url)
    assert run(*replay).returncode == 3
    saved = run(*replay, "--recover")
    assert (saved.returncode, saved.stderr.startswith("saved ")) == (0, True), saved.stderr
    assert run("spool", "status").returncode == 0


def test_without_a_spool_there_is_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINEAGE_STORE_SPOOL", str(tmp_path / "none"))
    assert as_json("spool", "status") == []
    assert lines("spool", "replay") == ["nothing waits"]
    assert run("spool", "status", "--file", "missing").returncode == 2


def test_what_is_refused_or_lost_is_told_and_offered_again(spooled: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'later.db'}"
    running = Execution(type="Unknown", state="RUNNING")
    record = StepRecord(key="k", execution=running, create_types=False).to_message()
    Spool(spooled).add([Record.of(STEP, cache_pb2.RecordStepRequest(step=record))])
    replay = ("spool", "replay", "--file", str(spooled), "--store", url)
    for _ in range(2):
        process = run(*replay)
        assert (process.returncode, "1 refused, 0 left" in process.stdout) == (1, True)
        assert "1 records were refused and stay in their file" in process.stderr
    spooled.with_suffix(".losses").write_text('{"at": 1, "records": 7, "why": "no room"}\n')
    *_, refusals, losses = lines("spool", "status")
    assert refusals.startswith("refused 1: NOT_FOUND")
    assert losses == "lost 7: no room"
    [status] = as_json("spool", "status")
    assert (status["refused"], status["lost"], status["losses"]) == (1, 7, {"no room": 7})
    with connect(url) as store:
        store.put_execution_type(ExecutionType(name="Unknown"))
    assert run(*replay).stdout == f"{url}: 1 sent, 0 refused, 0 left\n"
    assert lines("spool", "replay") == ["nothing waits"]
