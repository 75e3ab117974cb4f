"""Features of Snakemake alone: wildcards, kinds of outputs, other executors, ways to fail."""

import os
import signal
from pathlib import Path
from textwrap import dedent

import pytest

from lineage_store import LineageStore
from tests.hooks.adapter_snakemake import ADAPTER
from tests.hooks.project import Project
from tests.hooks.recorded import Attempt, Recorded, recorded

pytestmark = [
    pytest.mark.timeout(400),
    pytest.mark.parametrize("adapter", [pytest.param(ADAPTER, id="snakemake")], indirect=True),
]

SNAKEMAKE = str(ADAPTER.python.with_name("snakemake"))


def write(project: Project, rules: str) -> None:
    """Give the project other rules."""
    (project.directory / "Snakefile").write_text(dedent(rules))


def run(project: Project, url: str, *options: str, **variables: str) -> str:
    return project.succeed_with([SNAKEMAKE, "--cores", "2", *options], url, **variables)


def fail(project: Project, url: str, *options: str) -> str:
    process = project._start([SNAKEMAKE, "--cores", "2", *options], url)
    printed, _ = process.communicate(timeout=120)
    assert process.returncode == 1, printed
    return printed


def only(run_record: Recorded, step: str) -> Attempt:
    [attempt] = run_record.steps[step]
    return attempt


def paths(project: Project, *names: str) -> set[str]:
    return {str(project.directory / name) for name in names}


WILDCARDS = """
    configfile: "config.yml"

    rule all:
        input: "out/all"

    rule part:
        input: raw="data/raw.csv"
        output: text=temp("out/{sample}.txt"), more=directory("out/{sample}.d")
        params: lambda wildcards: wildcards.sample.upper(), size=config["size"]
        threads: 2
        shell: "mkdir {output.more}; echo {params[0]} {params.size} > {output.text}"

    rule merge:
        input: expand("out/{sample}.txt", sample=["a", "b", "c"]), one="out/a.d"
        output: "out/all"
        shell: "cat {input} > {output} || cat out/*.txt > {output}"
"""


def test_wildcards(project: Project, url: str, store: LineageStore) -> None:
    write(project, WILDCARDS)
    (project.directory / "config.yml").write_text("size: 7\n")
    run(project, url)
    run_record = recorded(store, project)
    assert run_record.state == "COMPLETE"
    assert run_record.properties["config"] == {"size": 7}
    assert run_record.properties["snakefile"] == str(project.directory / "Snakefile")
    parts = {attempt.params["sample"]: attempt for attempt in run_record.steps["part"]}
    assert parts.keys() == {"a", "b", "c"}
    for sample, part in parts.items():
        assert part.params == {"sample": sample, "0": sample.upper(), "size": 7}
        assert part.inputs == {"raw"}
        assert part.outputs == paths(project, f"out/{sample}.txt", f"out/{sample}.d")
        assert (part.state, part.attempt, part.index) == ("COMPLETE", 1, 0)
        assert part.properties["threads"] == 2
        assert f"echo {sample.upper()} 7" in part.properties["shellcmd"]
    assert only(run_record, "merge").inputs == paths(
        project, "out/a.txt", "out/b.txt", "out/c.txt", "out/a.d"
    )
    assert not (project.directory / "out/a.txt").exists()  # temporary, and yet known by content
    assert run_record.steps.keys() == {"part", "merge"}
    for name in paths(project, "out/a.txt", "out/a.d"):
        [artifact] = run_record.artifacts[name]
        assert str(artifact.custom_properties["digest"]).startswith("sha256:")


KINDS = """
    rule all:
        input: "out/flag", "out/shadowed", "out/piped", "out/notes"

    rule flag:
        output: touch("out/flag")

    rule shadowed:
        input: "data/raw.csv"
        output: "out/shadowed"
        shadow: "minimal"
        shell: "cp {input} {output}"

    rule source:
        output: pipe("out/pipe")
        shell: "echo hello > {output}"

    rule sink:
        input: "out/pipe"
        output: "out/piped"
        shell: "cat {input} > {output}"

    checkpoint count:
        output: "out/number"
        shell: "echo 2 > {output}"

    def notes(wildcards):
        with checkpoints.count.get().output[0].open() as file:
            return [f"out/note{at}" for at in range(int(file.read()))]

    rule note:
        output: "out/note{at}"
        shell: "echo {wildcards.at} > {output}"

    rule notes:
        input: notes
        output: protected("out/notes")
        shell: "cat {input} > {output}"
"""


def test_kinds_of_files(project: Project, url: str, store: LineageStore) -> None:
    write(project, KINDS)
    printed = run(project, url)
    assert "lineage" not in printed
    run_record = recorded(store, project)
    assert {state for several in run_record.states().values() for state in several} == {"COMPLETE"}
    outputs = {name: only(run_record, name).outputs for name in ("flag", "shadowed", "notes")}
    assert outputs == {name: paths(project, f"out/{name}") for name in outputs}
    pipe = f"pipe:{project.directory}/out/pipe"
    assert only(run_record, "source").outputs == {pipe} == only(run_record, "sink").inputs
    assert run_record.artifacts[pipe][0].custom_properties["not_hashed"] == "it is a pipe"
    assert only(run_record, "notes").inputs == paths(project, "out/note0", "out/note1")
    assert {attempt.params["at"] for attempt in run_record.steps["note"]} == {"0", "1"}
    for name in paths(project, "out/flag", "out/shadowed", "out/piped", "out/notes"):
        [artifact] = run_record.artifacts[name]
        assert "not_hashed" not in artifact.custom_properties


FAILING = """
    rule all:
        input: "out/shell", "out/script", "out/missing", "out/good"

    rule shell:
        output: "out/shell"
        retries: 1
        shell: "exit 7"

    rule script:
        output: "out/script"
        script: "broken.py"

    rule missing:
        output: "out/missing"
        shell: "true"

    rule good:
        output: "out/good"
        shell: "sleep 1; touch {output}"
"""


def test_ways_to_fail(project: Project, url: str, store: LineageStore) -> None:
    write(project, FAILING)
    (project.directory / "broken.py").write_text("raise ValueError('broken')\n")
    fail(project, url, "--keep-going", "--latency-wait", "1")
    run_record = recorded(store, project)
    assert run_record.states() == {
        "shell": ["FAILED", "FAILED"],
        "script": ["FAILED"],
        "missing": ["FAILED"],
        "good": ["COMPLETE"],
    }
    assert [attempt.attempt for attempt in run_record.steps["shell"]] == [1, 2]
    for name, says in {"shell": "exit 7", "script": "broken.py"}.items():
        properties = run_record.steps[name][-1].properties
        assert properties["error_type"] == "subprocess.CalledProcessError"
        assert says in properties["error_message"]
    failed = only(run_record, "missing").properties
    assert failed["error_type"] == "snakemake.exceptions.MissingOutputException"
    assert "out/missing" in failed["error_message"]
    assert run_record.state == "FAILED"
    assert run_record.properties["error_type"] == "snakemake.WorkflowError"
    assert run_record.properties["error_message"].endswith("Failed: missing, script, shell")


def test_each_attempt_at_a_run_is_told(project: Project, url: str, store: LineageStore) -> None:
    """A job with `run:` is tried again in a process of its own, and then once more in another."""
    project.ask("fail", "train_large")
    fail(project, url)
    run_record = recorded(store, project)
    attempts = run_record.steps["train_large"]
    assert [attempt.attempt for attempt in attempts] == list(range(1, len(attempts) + 1))
    assert len(attempts) == project.calls()["train_large"] > 1
    assert {attempt.properties["error_type"] for attempt in attempts} == {"RuntimeError"}
    end_times = [attempt.properties["ended_at"] for attempt in attempts]
    assert end_times == sorted(end_times)


def test_a_workflow_that_makes_no_sense(project: Project, url: str, store: LineageStore) -> None:
    write(project, 'rule all:\n    input: "nowhere"\n')
    fail(project, url)
    run_record = recorded(store, project)
    assert (run_record.state, run_record.steps) == ("FAILED", {})
    assert run_record.properties["error_type"] == "snakemake.exceptions.MissingInputException"


def test_ctrl_c(project: Project, url: str, store: LineageStore) -> None:
    project.ask("hold", "evaluate")
    process = project.start(url)
    project.await_held("evaluate", process)
    os.killpg(process.pid, signal.SIGINT)
    printed, _ = process.communicate(timeout=120)
    assert process.returncode != 0, printed
    run_record = recorded(store, project)
    assert run_record.state == "CANCELED"
    assert run_record.states()["clean"] == ["COMPLETE"]
    assert run_record.states()["evaluate"] == ["CANCELED"]


def test_what_is_up_to_date(project: Project, url: str, store: LineageStore) -> None:
    project.succeed(url)
    project.succeed(url)
    run_record = recorded(store, project)
    assert run_record.states() == {"evaluate": ["CACHED"]}  # nothing behind it is looked at
    assert only(run_record, "evaluate").outputs == {"metrics"}
    metrics = project.path("metrics")
    assert metrics is not None
    metrics.unlink()
    project.succeed(url)
    run_record = recorded(store, project)
    assert run_record.states() == {
        "clean": ["CACHED"],
        "train_small": ["CACHED"],
        "train_large": ["CACHED"],
        "evaluate": ["COMPLETE"],
    }
    assert only(run_record, "clean").outputs == {"table"}
    decision = only(run_record, "clean").properties["log.cache_decision"]
    assert decision == "UP_TO_DATE: nothing that it depends on has changed"
    shown = project.succeed_with(
        [str(ADAPTER.python.with_name("lineage-store")), "runs", "show"], url
    )
    assert decision in shown
    assert "Missing output files" in only(run_record, "evaluate").properties["log.reason"]


def test_what_is_no_run(project: Project, url: str) -> None:
    for options in (["-n"], ["--summary"], ["--lint"], ["--dag"], ["--list-rules"]):
        process = project._start([SNAKEMAKE, "--cores", "1", *options], url)
        process.communicate(timeout=120)
    project.succeed(None)
    run(project, url, "--touch")
    assert not Path(url.removeprefix("sqlite:///")).exists()
    assert not project.spool.exists()


def test_what_is_too_large_to_be_hashed(project: Project, url: str, store: LineageStore) -> None:
    run(project, url, LINEAGE_STORE_HASH_BYTES="40")
    run_record = recorded(store, project)
    [metrics] = run_record.artifacts["metrics"]
    assert "digest" in metrics.custom_properties
    [small] = run_record.artifacts["small"]
    assert small.custom_properties["not_hashed"] == "it has more than 40 bytes"


def test_threads_instead_of_processes(project: Project, url: str, store: LineageStore) -> None:
    project.ask("flaky", "train_large")
    run(project, url, "--force-use-threads")
    run_record = recorded(store, project)
    failed, good = run_record.steps["train_large"]
    assert (failed.state, good.state) == ("FAILED", "COMPLETE")
    assert failed.properties["error_type"] == "RuntimeError"


def test_another_executor(project: Project, url: str, store: LineageStore) -> None:
    """Jobs that are submitted elsewhere are seen by the process that submits them."""
    project.ask("flaky", "train_large")
    submit = ["--executor", "cluster-generic", "--cluster-generic-submit-cmd", "bash"]
    command = [SNAKEMAKE, "--jobs", "2", *submit, "--latency-wait", "10"]
    project.succeed_with([*command, "--seconds-between-status-checks", "1"], url)
    run_record = recorded(store, project)
    assert run_record.state == "COMPLETE"
    states = {name: [a.state for a in attempts] for name, attempts in run_record.steps.items()}
    assert states.pop("train_large") == ["FAILED", "COMPLETE"]
    assert states == {name: ["COMPLETE"] for name in ("clean", "train_small", "evaluate")}
    assert run_record.steps["train_large"][0].properties["error_type"] == "RuntimeError"
    assert only(run_record, "evaluate").inputs == {"table", "small", "large"}
    assert only(run_record, "evaluate").outputs == {"metrics"}


def test_other_files_than_the_usual(project: Project, url: str, store: LineageStore) -> None:
    write(project, "rule x:\n    output: touch('x')\n")
    (project.directory / "Snakefile").rename(project.directory / "train.smk")
    run(project, url, "-s", "train.smk")
    assert recorded(store, project).contexts["Pipeline"] == {"project.train"}
    (project.directory / "workflow").mkdir()
    (project.directory / "train.smk").rename(project.directory / "workflow/Snakefile")
    run(project, url)
    assert recorded(store, project).contexts["Pipeline"] == {"project"}
