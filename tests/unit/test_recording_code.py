"""The digest of a function, the names of functions, and values as properties."""

import importlib.util
import math
import pickle
import sys
import textwrap
from pathlib import Path
from types import ModuleType

import pytest

from lineage_store.fingerprints.code import classes, code_digest, count_settings, value_digest
from lineage_store.limits import MAX_NAME
from lineage_store.recording.naming import bounded, run_key, step_key
from lineage_store.recording.values import MAX_TEXT, as_property, named

SOURCE = '''
import functools
from pathlib import Path

RATE = 0.1
WHERE = Path("somewhere")
UNUSED = 1


def decorate(function):
    @functools.wraps(function)
    def wrapped(*args):
        return function(*args)
    return wrapped


def helper(x):
    return x + 1


class Tool:
    size = 3


def recursive(n):
    return recursive(n - 1) if n else 0


def make(captured):
    def inner(x):
        return captured + x
    return inner


inner = make(5)


@decorate
def train(data, depth=3, *, width=4):
    """Fit."""
    tool = Tool()
    return [helper(value) * RATE for value in data], WHERE, tool, recursive(depth)
'''


@pytest.fixture
def digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return the digest of a function in the source with some of it replaced."""
    count = 0

    def of(old: str = "", new: str = "", name: str = "train") -> str:
        nonlocal count
        count += 1
        assert old in SOURCE
        path = tmp_path / f"m{count}" / "steps.py"
        path.parent.mkdir()
        path.write_text(textwrap.dedent(SOURCE.replace(old, new) if old else SOURCE))
        return code_digest(getattr(_module(path, monkeypatch), name))

    return of


def _module(path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    name = f"steps_of_{path.parent.name}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)
    spec.loader.exec_module(module)
    return module


def test_a_digest_is_the_same_in_every_process(digest) -> None:
    assert digest() == digest()
    assert digest().startswith("sha256:")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[helper(value) * RATE", "[helper(value) + RATE"),
        ("depth=3", "depth=4"),
        ("width=4", "width=5"),
        ("x + 1", "x + 2"),
        ("size = 3", "size = 4"),
        ("RATE = 0.1", "RATE = 0.2"),
        ('Path("somewhere")', 'Path("elsewhere")'),
        ("else 0", "else 1"),
        ("@decorate\n", ""),
    ],
)
def test_what_counts(digest, old: str, new: str) -> None:
    assert digest(old, new) != digest()


@pytest.mark.parametrize(("old", "new"), [("UNUSED = 1", "UNUSED = 2"), ("make(5)", "make(6)")])
def test_what_does_not_count(digest, old: str, new: str) -> None:
    assert digest(old, new) == digest()


def test_what_a_closure_holds_counts(digest) -> None:
    assert digest(name="inner") != digest("make(5)", "make(6)", name="inner")


def test_what_has_no_source_has_a_digest() -> None:
    namespace: dict[str, object] = {}
    exec("def f(x):\n    return x + 1", namespace)
    assert code_digest(namespace["f"]).startswith("sha256:")  # type: ignore[arg-type]
    assert code_digest(len) == code_digest(len) != code_digest(max)


def test_keys() -> None:
    assert run_key("cron", "a/b") == "cron/a%2Fb"
    assert step_key("cron", "r@1:2", "load ü", 0, 2) == "cron/r@1:2/load %C3%BC/0/2"
    long = step_key("cron", "r" * 1000, "s", 0, 1)
    assert len(long) == MAX_NAME
    assert long != step_key("cron", "r" * 1000, "s", 0, 2)
    assert bounded("x" * MAX_NAME) == "x" * MAX_NAME


class Plain:
    """A class that nobody has pickled yet."""


def test_a_class_is_what_it_was_when_an_object_of_it_has_been_pickled() -> None:
    before = value_digest(Plain(), "plain")
    pickle.dumps(Plain())
    assert "__slotnames__" in vars(Plain)
    assert value_digest(Plain(), "plain") == before


def test_what_is_set_for_a_class_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classes, "_settings", {})
    settings = {"rate": 1}

    class Base:
        pass

    class Rates(Base):
        pass

    count_settings(Base, lambda _: settings)
    first = value_digest(Rates, "rates")
    settings["rate"] = 2
    assert value_digest(Rates, "rates") != first


def test_values_as_properties() -> None:
    assert as_property(value=True) is True
    assert as_property(2**63) == str(2**63)
    assert as_property(-(2**63)) == -(2**63)
    assert math.isnan(float(as_property(float("nan"))))  # type: ignore[arg-type]
    assert as_property(None) == "null"
    assert as_property([1, 1.0, "x"]) == '[1,1.0,"x"]'
    assert as_property({"a": 1}) == {"a": 1}
    assert as_property({"a": 2**60}) == f'{{"a":{2**60}}}'
    assert as_property({1: 2}) == "{1: 2}"
    assert as_property("\ud800x") == "?x"
    assert len(str(as_property("x" * (MAX_TEXT + 1)))) == MAX_TEXT
    assert named("p", {"a": 1}) == {"p.a": 1}
