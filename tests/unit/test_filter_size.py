"""The cost of a filter is known before it is parsed; long lists cost little."""

import threading

import pytest

from lineage_store import callers, errors
from lineage_store.filtering import compile_filter
from lineage_store.filtering.parser import parse
from lineage_store.filtering.size import is_larger
from lineage_store.filtering.turns import Turns
from lineage_store.kinds import ARTIFACT
from lineage_store.limits import FilterLimits

LISTS = [
    "1, 2, 3",
    "-1, 2.5, .5, 1., 1e3, -2E-2",
    "'a', \"b\", ''",
    "'it''s'",
    "'a\\n'",
    "0x1F, 5",
    "18446744073709551615",
    "99999999999999999999999999",
    "-9223372036854775809",
    "9223372036854775808",
    "'é', '\U0001f600'",
    "1 2",
    "NULL, 1",
    "'a', 1",
    "((1))",
    "",
    "1,",
    "1, /* two */ 2",
]


@pytest.mark.parametrize("items", LISTS)
@pytest.mark.parametrize("field", ["id", "name"])
def test_a_list_in_one_token_means_what_its_items_mean(items, field):
    def meaning(text: str):
        try:
            condition = compile_filter(ARTIFACT, text)
        except errors.InvalidArgument as error:
            return error.message.partition(" (line")[0]
        return condition.shape, condition.values

    def slow(text: str) -> str:
        return text.replace("IN (", "IN (/**/")  # a comment is in no list of one token

    text = f"{field} IN ({items})"
    assert meaning(text) == meaning(slow(text))


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("id = 5", 3),
        ("id IN (1, 2, 3)", 2),
        ("id in(1,2,3) AND x.y = 'a (b) c'", 6),
        ("COALESCE(1, 2, 3) = 1", 10),
        ("id IN (a, b)", 7),
        ("-- nothing (((\n id /* ((( */ > `a b`", 3),
        ("'''a'b''' = name", 3),
        ("(" * 100, 100),
        ("'never ends", 1),
        ("'''never ends \\", 1),
    ],
)
def test_tokens_are_counted(text, count):
    assert is_larger(text, count - 1)
    assert not is_larger(text, count)


def test_the_bound_is_kept_before_a_filter_is_parsed(monkeypatch):
    monkeypatch.setattr(
        "lineage_store.filtering.parser.parse", lambda *_: pytest.fail("it was parsed")
    )
    text = "(" * 5_000 + "id > 0" + ")" * 5_000
    with pytest.raises(errors.InvalidArgument, match="more than 2000 tokens"):
        compile_filter(ARTIFACT, text, FilterLimits(tokens=2_000))


def test_a_filter_whose_caller_has_gone_is_not_parsed_to_its_end():
    looks = []

    def go_on() -> None:
        looks.append(1)
        if len(looks) == 3:
            raise callers.cancelled()

    with pytest.raises(errors.Cancelled):
        parse("(" * 5_000 + "id > 0" + ")" * 5_000, go_on)
    assert len(looks) == 3


def test_few_work_and_few_wait():
    turns, entered, leave = Turns(at_once=1, max_waiting=1), threading.Event(), threading.Event()

    def work() -> None:
        with turns.one(10):
            entered.set()
            leave.wait(10)

    workers = [threading.Thread(target=work) for _ in range(2)]
    workers[0].start()
    assert entered.wait(10)
    with pytest.raises(errors.DeadlineExceeded), turns.one(0.1):
        pytest.fail("two work")
    workers[1].start()
    while turns._admitted._value:
        pass
    with pytest.raises(errors.ResourceExhausted, match="1 large filters"), turns.one(10):
        pytest.fail("two wait")
    leave.set()
    for worker in workers:
        worker.join()
    with turns.one(0):
        pass
