"""Says what the steps of a package put out, and the keys that they have; see `runner`.

A line names a directory with a `main.py`, whose `CALLS` are steps with their arguments. The answer
has, for each of them, its key and its outcome without any store. If a store is named, the program
runs against it as it does for `runner`.
"""

import gc
import importlib
import os
import resource
import signal
import sys
import time
import warnings
from pathlib import Path
from typing import Any

from lineage_store.fingerprints.code import lazy_imports
from lineage_store.recording import lookups, runs
from lineage_store.recording.options import Caching
from lineage_store.recording.runs import Run
from lineage_store.recording.steps import Step
from tests.truth import runner

SECONDS = 10
MEMORY = 4 * 1024**3


class Told(Exception):
    """A step is about to run, and this is its key."""


class KeyedRun(Run):
    """A run that makes the keys of steps, and runs none."""

    def __init__(self) -> None:
        super().__init__(None, "keys", run_id="keys")  # type: ignore[arg-type]

    def step(self, name: str, **described: Any) -> Step:
        """Tell the key of a step."""
        step = super().step(name, **described)
        key = lookups.key_of(step._spec, (), Caching())
        raise Told(key if isinstance(key, str) else key.key.hex)


def key_of(call: Any, args: Any, named: Any) -> str:
    """Return the key that a step has for arguments, or why it has none."""
    token = runs._active.set(KeyedRun())
    try:
        call(*args, **named)
    except Told as told:
        return str(told)
    finally:
        runs._active.reset(token)
    raise AssertionError("no step was called")


def judge(job: dict[str, Any]) -> dict[str, Any]:
    """Return keys and outcomes of the steps of a package."""
    signal.alarm(SECONDS)
    if job.get("store") is not None:
        return runner._run(job)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    lazy_imports._BEGAN_NS = time.time_ns()
    sys.path.insert(0, job["directory"])
    sys.dont_write_bytecode = True
    warnings.simplefilter("ignore")
    os.environ |= job["environment"]
    program = importlib.import_module("main")
    return {"steps": [_outcome(*each) for each in program.CALLS]}


def _outcome(call: Any, args: Any, named: Any) -> list[Any]:
    key = key_of(call, args, named)
    outcome = repr(call(*args, **named))
    return [call.name, key, outcome, key_of(call, args, named) == key]


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    gc.freeze()
    runner.serve(judge)
