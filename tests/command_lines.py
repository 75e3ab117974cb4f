"""`lineage-store` as a user runs it: each command in a process, and started in no time."""

import atexit
import json
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from functools import lru_cache
from pathlib import Path

FORKS = Path(__file__).with_name("command_forks.py")


@lru_cache(maxsize=1)
def _forks() -> "subprocess.Popen[str]":
    """Return the process that commands are forked from, which ends with this one."""
    process = subprocess.Popen(
        [sys.executable, str(FORKS)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    atexit.register(_end, process)
    return process


def _end(process: "subprocess.Popen[str]") -> None:
    process.communicate()


def run_command(*args: str, cwd: Path | None = None) -> "subprocess.CompletedProcess[str]":
    """Run a command of `lineage-store` to its end."""
    process = _forks()
    assert process.stdin is not None
    assert process.stdout is not None
    with ExitStack() as stack:
        files = [stack.enter_context(tempfile.NamedTemporaryFile()) for _ in range(2)]
        job = {
            "arguments": args,
            "directory": str(cwd or Path.cwd()),
            "environment": dict(os.environ),
            "outputs": [file.name for file in files],
        }
        process.stdin.write(json.dumps(job) + "\n")
        process.stdin.flush()
        code = json.loads(process.stdout.readline())
        out, error = (Path(file.name).read_text() for file in files)
    return subprocess.CompletedProcess(args, code, out, error)
