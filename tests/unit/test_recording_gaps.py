"""The gaps of a record are told in words, bounded, and noted on the right step."""

from decimal import Decimal
from fractions import Fraction
from math import inf, isnan, nan
from typing import Any

import numpy as np
import pytest

from lineage_store.recording.diagnostics import never_raises, warn_once
from lineage_store.recording.gaps import MAX_NAMES, MAX_TEXT, Gaps
from lineage_store.recording.values import as_number, as_property, named


def gaps(owner: str = "step train of run r") -> Gaps:
    return Gaps(owner, warn_once)


def test_gaps_are_told_by_sort() -> None:
    step_gaps = gaps()
    assert (bool(step_gaps), step_gaps.properties()) == (False, {})
    step_gaps.add("output", "fig", "a DataFrame is no output: give a Path")
    step_gaps.add("input", "raw", FileNotFoundError(2, "No such file", "raw.csv"))
    step_gaps.add("output", "gone", "it is not there")
    step_gaps.add("output", "fig", "told before")
    step_gaps.fail("beat", ValueError("x"))
    text = (
        "2 outputs not recorded: fig (a DataFrame is no output), gone (it is not there); "
        "1 input not recorded: raw ([Errno 2] No such file: 'raw.csv'); "
        "failed: beat (ValueError: x)"
    )
    assert str(step_gaps) == text
    assert step_gaps.properties() == {"log.incomplete": text}


def test_the_log_names_step_run_and_noun(caplog: pytest.LogCaptureFixture) -> None:
    step_gaps = gaps("step naming of run nightly@1")
    for _ in range(2):
        step_gaps.add("output", "fig", "it is none")
    assert caplog.messages == [
        "step naming of run nightly@1: the output fig is not recorded: it is none"
    ]


def test_the_text_is_bounded() -> None:
    step_gaps = gaps()
    for at in range(1000):
        step_gaps.add("metric", f"m{at}", "x" * 1000)
    assert str(step_gaps).startswith("1,000 metrics not recorded: m0 (xxx")
    assert str(step_gaps).endswith(f"and {1000 - MAX_NAMES} more")
    for at in range(MAX_TEXT):
        step_gaps.add(f"noun{at}", "\ud800", "y")
    assert len(str(step_gaps)) == MAX_TEXT
    str(step_gaps).encode()


class Unprintable(Exception):
    def __str__(self) -> str:
        raise RuntimeError


def test_an_error_without_text_is_told_by_its_type() -> None:
    step_gaps = gaps()
    step_gaps.add("input", "raw", Unprintable())
    assert "raw (Unprintable)" in str(step_gaps)


class Owner:
    def __init__(self) -> None:
        self.gaps = gaps()

    @never_raises(None)
    def fail(self, _: object = None) -> None:
        raise ValueError("x")


@never_raises(None)
def fail(*_: object) -> None:
    raise ValueError("y")


class Odd:
    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


def test_an_error_is_noted_where_it_belongs() -> None:
    owner, other, current_gaps = Owner(), Owner(), gaps()
    owner.fail()
    fail(Odd(), other)
    current_gaps.enter()
    fail(1)
    owner.fail(other)
    current_gaps.leave()
    fail(2)
    assert str(owner.gaps) == "failed: fail (ValueError: x)"
    assert str(other.gaps) == str(current_gaps) == "failed: fail (ValueError: y)"


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (1, 1),
        (0.5, 0.5),
        (inf, inf),
        (2**70, float(2**70)),
        (Fraction(1, 2), 0.5),
        (Decimal("0.25"), 0.25),
        (np.float32(0.5), 0.5),
        (np.int8(3), 3),
        (np.array(0.5), 0.5),
        (True, None),
        (np.True_, None),
        ("0.5", None),
        (None, None),
        ([0.5], None),
        (np.array([0.5]), None),
        (1j, None),
    ],
)
def test_what_is_a_number(value: Any, number: float | None) -> None:
    assert as_number(value) == number
    assert type(as_number(value)) is type(number)


def test_nan_is_a_number() -> None:
    number = as_number(nan)
    assert number is not None
    assert isnan(number)


class Connection:
    pass


class Broken:
    def __repr__(self) -> str:
        raise ValueError


def test_what_no_text_tells_is_recorded_by_its_type() -> None:
    lacks: list[tuple[str, str]] = []
    values = {"c": Connection(), "l": [Connection()], "b": Broken(), "f": fail, "s": {1}, "d": {}}
    properties = named("p", values, lambda name, why: lacks.append((name, why)))
    assert properties == named("p", {**values, "c": Connection(), "l": [Connection()]})
    assert properties["p.c"] == f"<{__name__}.Connection object>"
    assert properties["p.b"] == f"<{__name__}.Broken>"
    assert [name for name, _ in lacks] == ["c", "l", "b", "f"]
    assert (
        lacks[0][1] == f"only its type is, for no text tells the value of a {__name__}.Connection"
    )
    assert as_property(object()) == "<object object>"


def test_names_of_properties_are_texts_that_fit() -> None:
    properties = named("p", {1: 2, "\ud800": 3, "x" * 1000: 4})  # type: ignore[dict-item]
    assert list(properties)[:2] == ["p.1", "p.?"]
    assert all(len(name) <= 512 for name in properties)
