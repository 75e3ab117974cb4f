"""Values that a step can tell apart have two fingerprints; equal ones have one, in any process."""

import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lineage_store.errors import InvalidArgument
from lineage_store.fingerprints import fingerprint
from tests.unit import fingerprint_pairs
from tests.unit.fingerprint_pairs import DIFFERENT, EQUAL, deep

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("one", "other"), DIFFERENT.values(), ids=DIFFERENT)
def test_what_differs(one: Any, other: Any) -> None:
    assert fingerprint(one) != fingerprint(other)
    assert fingerprint([one]) != fingerprint([other])
    assert fingerprint({"a": one}) != fingerprint({"a": other})


@pytest.mark.parametrize(("one", "other"), EQUAL.values(), ids=EQUAL)
def test_what_is_equal(one: Any, other: Any) -> None:
    assert fingerprint(one()) == fingerprint(other())
    assert fingerprint([one()]) == fingerprint([other()])


@pytest.mark.parametrize("seed", ["1", "2"])
def test_it_is_the_same_in_every_process(seed: str) -> None:
    program = "from tests.unit.fingerprint_pairs import main; main()"
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONINTMAXSTRDIGITS": "640"}
    process = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env=environment,
    )
    expected = [f"{title} {fingerprint(make())}" for title, (make, _) in EQUAL.items()]
    assert process.stdout.splitlines() == expected


class Hostile:
    """An object of which everything raises."""

    def __init__(self, error: Exception) -> None:
        object.__setattr__(self, "_error", error)

    def _raise(self, *_: Any) -> Any:
        raise object.__getattribute__(self, "_error")

    __eq__ = __hash__ = __reduce__ = __reduce_ex__ = __iter__ = __len__ = __repr__ = _raise
    __getattribute__ = __getattr__ = __str__ = __bool__ = _raise


class HostileList(list[Any]):
    def __iter__(self) -> Iterator[Any]:
        raise KeyError("iter")

    def __eq__(self, other: object) -> bool:
        raise KeyError("eq")

    def __len__(self) -> int:
        raise KeyError("len")

    __hash__ = None  # type: ignore[assignment]


class Pretender(list[Any]):
    @property
    def __class__(self) -> Any:  # type: ignore[override]
        raise ValueError("class")


class Secretive(list[Any]):
    @property
    def __dict__(self) -> Any:  # type: ignore[override]
        return {}


class HostileMapping(fingerprint_pairs.Settings):
    def __iter__(self) -> Iterator[Any]:
        raise ZeroDivisionError


class Unnamed(type):
    @property
    def __module__(cls) -> str:  # type: ignore[override]
        raise ValueError("module")


class HostileType(metaclass=Unnamed):
    pass


class BadText(Exception):
    def __str__(self) -> str:
        raise ValueError


@pytest.mark.parametrize("error", [KeyError("x"), RecursionError(), BadText(), MemoryError()])
def test_an_object_of_which_everything_raises_is_refused(error: Exception) -> None:
    for value in (Hostile(error), [Hostile(error)], {"a": Hostile(error)}, HostileType()):
        with pytest.raises(InvalidArgument):
            fingerprint(value)


def test_what_a_subclass_puts_in_the_place_of_methods_does_not_count() -> None:
    assert fingerprint(HostileList([1])) != fingerprint(HostileList([2]))
    assert fingerprint(Pretender([1])) != fingerprint(Pretender([2]))
    with pytest.raises(InvalidArgument, match="Secretive hides the attributes"):
        fingerprint(Secretive())
    with pytest.raises(InvalidArgument, match=r"HostileMapping can't be read: ZeroDivisionError"):
        fingerprint(HostileMapping({"a": 1}))


def endless() -> Iterator[Any]:
    """Yield values that hold themselves."""
    several: list[Any] = [{1}]
    several.append(several)
    yield several
    mapping: dict[str, Any] = {}
    mapping["self"] = mapping
    yield mapping
    record = fingerprint_pairs.Options()
    record.extra["self"] = record  # type: ignore[assignment]
    yield record
    words = fingerprint_pairs.Words()
    words.self = words  # type: ignore[attr-defined]
    yield (words,)


@pytest.mark.parametrize("value", list(endless()), ids=lambda value: type(value).__name__)
def test_a_value_that_holds_itself_is_refused(value: Any) -> None:
    with pytest.raises(InvalidArgument, match="holds itself"):
        fingerprint(value)


def test_deep_values_are_read_or_refused() -> None:
    assert fingerprint(deep(60)) == fingerprint(deep(60))
    assert fingerprint(deep(60)) != fingerprint(deep(61))
    with pytest.raises(InvalidArgument, match="nested too deep"):
        fingerprint(deep(100_000))


def test_classes_and_functions_of_others_are_refused() -> None:
    values = [Hostile, fingerprint, lambda: 0, [].append, iter([]), object(), sys]
    for value in [*values, fingerprint_pairs.defaultdict(lambda: 0)]:
        with pytest.raises(InvalidArgument, match="has no fingerprint"):
            fingerprint(value)


def test_a_module_that_is_called_like_one_of_python_is_no_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "antigravity.py").write_text("def scale(x): return x\n")
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("antigravity")
    try:
        with pytest.raises(InvalidArgument, match="scale has no fingerprint"):
            fingerprint(module.scale)
    finally:
        del sys.modules["antigravity"]


def test_paths_count_as_texts_if_files_do_not_count(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_text("x")
    other.write_text("x")
    assert fingerprint([one]) == fingerprint([other])
    assert fingerprint({one: 1}) != fingerprint({other: 1})  # a key is looked up by its name
    assert fingerprint([one], files=False) != fingerprint([other], files=False)
    one.unlink()
    assert fingerprint(one, files=False) != fingerprint(str(one))
    assert fingerprint([other]) != fingerprint([b"x"])
