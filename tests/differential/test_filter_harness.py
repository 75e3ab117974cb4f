"""The random filters can tell a store that is right from one that is not."""

import random
from dataclasses import replace

import pytest

from tests.differential.filters import zoo
from tests.differential.filters.comparing import (
    Comparison,
    FilterTally,
    allowing,
    exchange_of,
    listing_all,
)
from tests.differential.filters.lexing import lex
from tests.differential.filters.literals import text_literal
from tests.differential.filters.population import SIZES, TEXTS, Population
from tests.differential.filters.shrinking import shortest
from tests.differential.filters.writing import Writer
from tests.differential.peers import RealStore
from tests.real_mlmd import python


class Forgetful(RealStore):
    """ML Metadata without its last artifact, for filters that speak of names."""

    def call(self, method, request):
        answer = super().call(method, request)
        if "name" in getattr(getattr(request, "options", None), "filter_query", ""):
            del answer.response.artifacts[-1:]
        return answer


def test_a_store_that_is_wrong_is_noticed(real):
    other = Forgetful(python())
    for store in (real, other):
        zoo.build(store)
    comparison = Comparison(real, other, FilterTally(), zoo.SIZES)
    everything = listing_all("artifact")
    text = 'id > 1 AND (uri = "it\'s" OR name = "one") OR state IN (LIVE)'
    assert comparison.agrees("artifact", "id > 1", set(), everything)
    assert not comparison.agrees("artifact", text, set(), everything)

    def shows(part: str) -> bool:
        return not comparison.is_explained("artifact", part, everything)

    short = shortest(text, shows)
    assert shows(short)
    assert len(short) < len(text) / 2
    other.close()


@pytest.mark.parametrize("kind", SIZES)
def test_the_same_chance_writes_the_same_filters(kind: str):
    twice = [
        [Writer(chance, kind, SIZES).filter() for _ in range(50)]
        for chance in (random.Random(7), random.Random(7))
    ]
    assert twice[0] == twice[1]
    assert len(set(twice[0])) > 40


def test_the_same_seed_makes_the_same_store():
    assert Population(3).requests == Population(3).requests
    assert Population(3).requests != Population(4).requests


def test_literals_mean_what_they_were_made_from():
    chance = random.Random(1)
    for value in TEXTS * 20:
        literal = text_literal(chance, value)
        assert lex(f"name = {literal} -- 'x'").strings == (value,), literal


def test_a_filter_is_taken_apart():
    lexed = lex("properties.Key.int_value = 1 /* 'a' */ AND custom_properties.`a.b`.x = r'\\q'")
    assert lexed.properties == ("Key", "a.b")
    assert lexed.strings == ("\\q",)
    assert "/*" not in lexed.code


@pytest.mark.parametrize("text", ["id = 1", "name = 'one'", "id ="])
def test_no_difference_excuses_an_exception(real, text: str):
    zoo.build(real)
    exchange = exchange_of(real, real, "artifact", text)
    raised = replace(exchange.ours, code=-2, message="KeyError")
    assert allowing(replace(exchange, ours=raised)) is None
