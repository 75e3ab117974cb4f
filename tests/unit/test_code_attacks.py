"""Code, arguments and classes that try to be taken for others."""

import functools
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from lineage_store.fingerprints.code import NoFingerprint, code_digest, value_digest
from lineage_store.recording import step

MODELS = """
import sys, pydantic
from lineage_store.fingerprints.code import code_digest
class Inner(pydantic.BaseModel):
    k: int = 1
    @pydantic.field_validator("k")
    @classmethod
    def twice(cls, value): return value * 2
def f(): return Inner().k
print(code_digest(f))
"""


def _printed(program: str, seed: str) -> str:
    return subprocess.run(
        [sys.executable, "-"],
        input=textwrap.dedent(program),
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_a_pydantic_model_from_standard_input_is_the_same_in_each_process() -> None:
    pytest.importorskip("pydantic")
    assert _printed(MODELS, "1") == _printed(MODELS, "2")
    assert _printed(MODELS, "1") != _printed(MODELS.replace("* 2", "* 3"), "1")


def test_a_directory_that_an_object_names_counts_by_what_is_in_it(tmp_path: Path) -> None:
    before = value_digest({"place": tmp_path}, "parameter conf")
    (tmp_path / "file").write_text("one")
    assert value_digest({"place": tmp_path}, "parameter conf") != before


def test_a_step_takes_keywords_of_any_name() -> None:
    @step(cache=True)
    def keywords(**names: Any) -> Any:
        return names

    assert keywords(self=1, args=2) == {"self": 1, "args": 2}


def test_a_static_method_that_is_a_step_takes_no_object() -> None:
    class Own:
        @step(cache=True)
        @staticmethod
        def double(x: int) -> int:
            return x * 2

    assert Own().double(3) == 6
    assert Own.double(3) == 6


def _indented(text: str) -> str:
    return text + json.dumps([1])


def test_a_function_that_is_replaced_in_a_library_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    before = code_digest(_indented)
    monkeypatch.setattr(json, "dumps", functools.partial(str))
    replaced = code_digest(_indented)
    monkeypatch.setattr(json, "dumps", lambda value: "mine")
    assert len({before, replaced, code_digest(_indented)}) == 3


def _subclasses() -> Any:
    return [each.__name__ for each in Path.__subclasses__()]


def _modules() -> Any:
    return sys.modules[__name__]


def _evaluated() -> Any:
    return TOOLS["run"]("1")


TOOLS = {"run": eval}


@pytest.mark.parametrize("function", [_subclasses, _modules, _evaluated])
def test_code_that_is_found_by_no_name_has_no_digest(function: Any) -> None:
    with pytest.raises(NoFingerprint, match="pass version="):
        code_digest(function)
