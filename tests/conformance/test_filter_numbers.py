"""Special numbers mean the same in filters on every database, and fail none."""

import math

import pytest

from lineage_store import errors
from tests.conformance.number_filters import FILTERS, nodes


def put(call, named):
    type_id = call.type()
    nodes = ({"type_id": type_id, "name": n, "custom_properties": p} for n, p in named.items())
    call.put("artifact", *nodes)


def matches(call, text):
    answer = call("GetArtifacts", options={"filter_query": text, "max_result_size": 100})
    assert not answer.next_page_token
    return tuple(sorted(artifact.name for artifact in answer.artifacts))


def test_there_are_enough_filters():
    assert len({each.text for each in FILTERS}) >= 300


def test_every_filter_finds_what_it_must(call):
    put(call, nodes())
    wrong = {
        each.text: (got, each.names())
        for each in FILTERS
        if (got := matches(call, each.text)) != each.names()
    }
    assert wrong == {}


def test_a_model_that_diverged_is_not_above_a_bound(call):
    put(call, {"good": {"d": 0.97}, "bad": {"d": 0.4}, "diverged": {"d": math.nan}})
    assert matches(call, "custom_properties.d.double_value > 0.9") == ("good",)


STEPS = [
    *(
        "{} * 2",
        "{} * 1e308",
        "{} + 1.7e308",
        "{} - 1.7e308",
        "1 / {}",
        "{} / 5e-324",
        "{} * 1e-308",
    ),
    *("ROUND({})", "ROUND({}, 3)", "-{}", "ABS({})", "CAST({} AS INT64) + 1", "{} * {} * {}"),
]


@pytest.mark.parametrize("step", STEPS)
def test_a_number_of_another_node_fails_no_filter(call, step):
    """The database may compute a row that the rest of the filter leaves out."""
    numbers = [2.5, 1e308, 5e-324, -1.7976931348623157e308, math.inf, math.nan, 0.0]
    put(call, {repr(number): {"d": number} for number in numbers})
    step = step.replace("{}", "custom_properties.d.double_value")
    assert matches(call, f"name = '2.5' AND {step} > -1e999") == ("2.5",)
    assert matches(call, f"{step} > -1e999 AND name = '2.5'") == ("2.5",)


TEXTS = [
    *("1e999", "-1e999", "1e-999", "9" * 400, "1" * 70_000, "1e99999999999", "1e-99999999999"),
    *("0." + "0" * 20_000 + "1", "0" * 70_000 + "8", "-", "", "nan", "0x10", "  7", "12abc"),
]


def test_no_text_fails_a_cast(call):
    put(call, {f"t{at}": {"s": text} for at, text in enumerate(TEXTS)})
    text = "custom_properties.s.string_value"
    above = ("t0", "t3", "t4", "t5")
    assert matches(call, f"CAST({text} AS FLOAT64) > 1e308") == above
    assert matches(call, f"CAST({text} AS FLOAT64) = 7") == ("t13",)
    assert matches(call, f"CAST({text} AS INT64) = 9223372036854775807") == ("t3", "t4")
    assert matches(call, f"CAST({text} AS INT64) = 8") == ("t8",)
    assert matches(call, f"CAST({text} AS INT64) = 12") == ("t14",)
    assert matches(call, f"CAST(TRIM({text}) AS FLOAT64) < -1e308") == ("t1",)


def test_deep_arithmetic_is_answered_or_refused(call):
    """Nothing grows with the depth beyond the limits of a database."""
    put(call, {"x": {"d": 1.5, "i": -3}})
    number, whole = "custom_properties.d.double_value", "custom_properties.i.int_value"
    assert matches(call, " + ".join([number] * 50) + " = 75") == ("x",)
    assert matches(call, "(1 + " * 25 + number + ")" * 25 + " = 26.5") == ("x",)
    assert matches(call, "ABS(" * 12 + whole + ")" * 12 + " = 3") == ("x",)
    for deep in ("ABS(" * 90 + whole + ")" * 90, "1 / (" * 90 + number + ")" * 90):
        assert answer(call, deep + " > 0") in ("x", "InvalidArgument: nested more deeply")


def answer(call, text):
    """Return the matches of a filter, or that it is refused for its depth."""
    try:
        return " ".join(matches(call, text))
    except errors.InvalidArgument as error:
        return f"InvalidArgument: {'nested more deeply' * ('nested more deeply' in str(error))}"
