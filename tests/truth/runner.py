"""Runs small programs, each in a process of its own that is forked from this one.

A line of JSON on standard input names a directory with a `main.py`, and a store or null; a line of
JSON on standard output says what its `main()` returned and how its steps ended. A program sees what
it would see if Python had been started for it, without the time that takes.
"""

import importlib
import json
import os
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from lineage_store import LineageStore, connect
from lineage_store.fingerprints.code import NoFingerprint, code_digest, lazy_imports, origins
from lineage_store.recording import Run
from lineage_store.recording.environment import capture

LIBRARIES = ("attrs", "numpy", "pandas", "pydantic", "sklearn.pipeline", "sklearn.linear_model")
ENGINE = ("lineage_store.client.embedded", "lineage_store.database.drivers.sqlite", "tenacity")

Job = dict[str, Any]
Answer = dict[str, Any]


def main() -> None:
    """Answer requests until there are no more."""
    for name in ENGINE:  # or each program with a store would import it for half a second
        importlib.import_module(name)
    for name in LIBRARIES:
        with suppress(ImportError):  # so that programs that use them begin at once
            importlib.import_module(name)
    capture(["packages"])
    serve(_run)


def serve(run: Callable[[Job], Answer]) -> None:
    """Answer requests, each in a process of its own."""
    for line in sys.stdin:
        print(json.dumps(_forked(run, json.loads(line))), flush=True)


def _forked(run: Callable[[Job], Answer], job: Job) -> Answer:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        os.write(writing, json.dumps(_answer(run, job)).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        content = pipe.read()
    os.waitpid(child, 0)
    return json.loads(content) if content else {"error": "the program ended without an answer"}


def _answer(run: Callable[[Job], Answer], job: Job) -> Answer:
    try:
        return run(job)
    except BaseException:
        return {"error": traceback.format_exc()}


def _run(job: Job) -> Answer:
    lazy_imports._BEGAN_NS = time.time_ns()
    origins._project_root.cache_clear()
    sys.modules["__main__"].__file__ = str(Path(job["directory"], "main.py"))
    directory = Path(job["directory"])
    os.chdir(directory)
    sys.path.insert(0, str(directory))
    sys.dont_write_bytecode = True
    warnings.simplefilter("ignore")
    os.environ |= job.get("environment", {})
    program = importlib.import_module("main")
    if job["store"] is None:
        return {"result": repr(program.main()), "steps": []}
    with connect(job["store"]) as store:
        with store.run("program") as run:
            result = _by_hand(program, run) if job.get("by_hand") else repr(program.main())
        store.flush_recording()
        return {"result": result, "steps": _steps(store, run.id)}


def _by_hand(program: Any, run: Run) -> str:
    """Return what `b(3)` returns, as a step that names the digest of its code."""
    function = program.b._function
    try:
        code = code_digest(function)
    except NoFingerprint:
        return repr(function(3))
    with run.step("b", params={"x": 3}, code=code, cache=True) as step:
        if step.hit is None:
            step.result("value", repr(function(3)))
        return str(step.results["value"])


def _steps(store: LineageStore, run: str) -> list[list[str]]:
    return [
        [str(each.state), str(each.custom_properties.get("log.cache_decision"))]
        for each in store.iter_executions()
        if each.type != "PipelineRun" and each.custom_properties["run_id"] == run
    ]


if __name__ == "__main__":
    main()
