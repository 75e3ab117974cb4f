"""The real ml-metadata 1.17.1, in a virtual environment of its own (`make .venv-mlmd`)."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def required(name: str) -> bool:
    """Return True if LINEAGE_REQUIRE lists `name`, so that its absence is a failure, not a skip."""
    return name in os.environ.get("LINEAGE_REQUIRE", "").split(",")


def python() -> Path:
    """Return the interpreter that can import ml_metadata, or skip the test and say why."""
    interpreter = Path(os.environ.get("LINEAGE_MLMD_PYTHON", ROOT / ".venv-mlmd/bin/python"))
    if interpreter.exists():
        return interpreter
    reason = f"the real ml-metadata is missing: {interpreter} (make .venv-mlmd)"
    if required("mlmd"):
        pytest.fail(reason)
    pytest.skip(reason)
