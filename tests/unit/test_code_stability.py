"""The check for changed code asks values that can change, and no others."""

import functools
import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lineage_store.fingerprints.code import code_of, digests
from lineage_store.fingerprints.code.stability import are_unchanged, containers_in, is_stable

TABLE: dict[str, Any] = {"a": [1, {2}], "b": (3, [4])}


def reads() -> Any:
    return TABLE


@pytest.mark.parametrize(
    "change",
    [
        lambda table: table.update(c=1),
        lambda table: table.update(a=[1, {2}, 3]),
        lambda table: table["a"].append(1),
        lambda table: table["a"][1].add(3),
        lambda table: table["b"][1].reverse() or table["b"][1].append(5),
        lambda table: table.update(a=table.pop("b"), b=table.pop("a")),
    ],
)
def test_a_change_within_containers_is_seen(monkeypatch: pytest.MonkeyPatch, change: Any) -> None:
    table = {"a": [1, {2}], "b": (3, [4])}
    monkeypatch.setitem(globals(), "TABLE", table)
    containers = containers_in(table)
    before = code_of(reads).digest
    assert containers is not None
    assert are_unchanged(containers)
    assert code_of(reads).digest == before
    change(table)
    assert not are_unchanged(containers)
    assert code_of(reads).digest != before


def test_an_equal_value_in_the_place_of_another_is_no_change(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = {"a": [1000]}
    monkeypatch.setitem(globals(), "TABLE", table)
    before = code_of(reads).digest
    table["a"] = [int("1000")]
    assert code_of(reads).digest == before


def test_values_with_a_state_of_their_own_have_no_containers() -> None:
    assert containers_in([functools.partial(len)]) is None
    assert containers_in({"a": bytearray()}) is None
    assert not is_stable([].append)
    assert is_stable((len, property(reads), staticmethod(reads)))
    assert not is_stable((len, []))


LAZY = """
import numpy as np

from lineage_store.fingerprints.code import code_digest


def draw(seed):
    return np.random.default_rng(seed).random()


assert "random" not in vars(np), "numpy loads it at once; name another lazy attribute"
before = code_digest(draw)
draw(3)
print(before == code_digest(draw))
"""


def test_a_submodule_that_is_loaded_at_its_first_use_keeps_the_digest(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(LAZY)
    command = [sys.executable, str(program)]
    process = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (process.stdout, process.stderr) == ("True\n", "")


def test_a_container_that_is_added_to_an_installed_module_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    digests = set()
    for added in ([1], [2], {"floor": 1}, {"floor": 2}, (1,), {1}):
        monkeypatch.setattr(json, "CONF", added, raising=False)
        digests.add(code_of(reads_added).digest)
    json.CONF.add(2)  # type: ignore[attr-defined]
    assert len(digests | {code_of(reads_added).digest}) == 7


def reads_added() -> Any:
    return json.CONF  # type: ignore[attr-defined]


@pytest.mark.parametrize("values", [(1, 2), ([1], [2])])
def test_a_getattr_that_the_project_puts_into_an_installed_module_counts(
    monkeypatch: pytest.MonkeyPatch, values: tuple[Any, Any]
) -> None:
    digests = set()
    for value in values:
        monkeypatch.setattr(json, "__getattr__", lambda _, value=value: value, raising=False)
        digests.add(code_of(reads_added).digest)
    assert len(digests) == 2


SCRIPT = """
import random, time
random.seed(7)
seconds = []
def b(x): return x + 1
seconds.append(time.time())
"""


def test_the_graph_of_a_function_is_kept_while_its_script_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "script_with_settings.py").write_text(SCRIPT)
    monkeypatch.syspath_prepend(str(tmp_path))
    script = importlib.import_module("script_with_settings")
    monkeypatch.setitem(sys.modules, "script_with_settings", script)
    before = code_of(script.b)
    _, (graph, *_) = digests._graphs[(id(script.b), False)]
    script.seconds.append(1.0)
    assert code_of(script.b).digest == before.digest
    assert digests._graphs[(id(script.b), False)][1][0] is graph


def test_a_module_that_is_loaded_again_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "reloaded_settings.py"
    file.write_text("import random\nrandom.seed(7)\ndef b(x): return x\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    module = importlib.import_module("reloaded_settings")
    monkeypatch.setitem(sys.modules, "reloaded_settings", module)
    before = code_of(module.b).digest
    file.write_text("import random\nrandom.seed(8999)\ndef b(x): return x\n")
    importlib.reload(module)
    assert code_of(module.b).digest != before


def printed_digest(directory: Path, statements: str, *command: str) -> str:
    """Return the digest that a program prints after some statements, run in a process."""
    text = f"import random\n{statements}\ndef b(x): return x\n"
    text += "from lineage_store.fingerprints.code import code_of\nprint(code_of(b).digest)\n"
    (directory / "program.py").write_text(text)
    process = subprocess.run(
        [sys.executable, *command], cwd=directory, capture_output=True, text=True, check=True
    )
    return process.stdout


@pytest.mark.parametrize("command", [("program.py",), ("-m", "program")])
def test_the_seed_and_the_order_of_statements_count_however_a_program_is_run(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    texts = ["random.seed(7)\nrandom.seed(8)", "random.seed(8)\nrandom.seed(7)", "random.seed(7)"]
    printed = {printed_digest(tmp_path, text, *command) for text in texts}
    assert len(printed) == len(texts)


def test_a_module_whose_code_is_gone_keeps_steps_from_being_cached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "module_that_goes.py"
    file.write_text("import random\nrandom.seed(7)\ndef b(x): return x\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    module = importlib.import_module("module_that_goes")
    file.unlink()
    try:
        why = code_of(module.b).why
    finally:
        del sys.modules["module_that_goes"]
    assert why is not None
    assert "module module_that_goes can't be read" in why


@pytest.mark.parametrize(
    ("text", "old", "new"),
    [
        ("from random import seed as plant\nplant(7)", "7", "8"),
        ("from random import *\nseed(7)", "7", "8"),
        ("plant = random.seed\nplant(7)", "7", "8"),
        ("N = 3\nM = N + 4\nrandom.seed(M)", "3", "5"),
        ("CHOICE = {'a': 7}\nrandom.seed(CHOICE['a'])", "7", "8"),
        ("class Holder:\n    random.seed(7)", "7", "8"),
        ("[random.seed(k) for k in (7,)]", "7", "8"),
        ("try:\n    random.seed(7)\nexcept ValueError: pass", "7", "8"),
        ("import decimal\ndecimal.getcontext().prec = 7", "7", "8"),
        ("import locale\nold = locale.setlocale(locale.LC_ALL, 'C')", "'C'", "'POSIX'"),
    ],
)
def test_a_setting_counts_in_whatever_form_it_is_written(
    tmp_path: Path, text: str, old: str, new: str
) -> None:
    before = printed_digest(tmp_path, text, "program.py")
    assert printed_digest(tmp_path, text.replace(old, new), "program.py") != before
