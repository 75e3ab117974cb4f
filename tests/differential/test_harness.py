"""The differential test can pass, and it can fail: ML Metadata against itself, whole and broken."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest
from google.protobuf.message import Message
from hypothesis import HealthCheck, Phase, given, settings

from tests.differential.comparison import copy_of
from tests.differential.duel import Duel, MismatchError, Tally
from tests.differential.operations import Operation
from tests.differential.pages import BY_UPDATE_TIME
from tests.differential.peers import Answer, RealStore
from tests.differential.sequences import sequences
from tests.real_mlmd import python


def duels(real, other, tally: Tally, examples: int) -> Callable[[], None]:
    """Return a function that runs random sequences, always the same ones."""

    @settings(
        max_examples=examples,
        phases=[Phase.generate],
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(sequences())
    def run(sequence: list[Operation]) -> None:
        Duel(real, other, tally).run(sequence)

    return run


class FaultyStore(RealStore):
    """ML Metadata with one fault."""

    def __init__(self, spoil: "Fault") -> None:
        super().__init__(python())
        self._spoil = spoil

    def call(self, method: str, request: Message) -> Answer:
        answer = super().call(method, copy_of(request))
        return self._spoil(method, request, answer)


Fault = Callable[[str, Message, Answer], Answer]


def another_status(method: str, _: Message, answer: Answer) -> Answer:
    return replace(answer, code=5) if answer.code == 3 and method == "PutArtifacts" else answer


def lost_properties(_: str, __: Message, answer: Answer) -> Answer:
    for node in getattr(answer.response, "artifacts", ()):
        if len(node.custom_properties) > 1:
            node.custom_properties.clear()
    return answer


def events_in_another_order(method: str, _: Message, answer: Answer) -> Answer:
    if method == "GetEventsByExecutionIDs":
        events = list(answer.response.events)
        del answer.response.events[:]
        answer.response.events.extend(reversed(events))
    return answer


def update_time_that_stays(_: str, __: Message, answer: Answer) -> Answer:
    for node in getattr(answer.response, "executions", ()):
        node.last_update_time_since_epoch = node.create_time_since_epoch
    return answer


def page_without_its_last_node(_: str, request: Message, answer: Answer) -> Answer:
    if hasattr(request, "options") and hasattr(answer.response, "next_page_token"):
        for nodes in (getattr(answer.response, name, []) for name in ("artifacts", "contexts")):
            del nodes[1:]
    return answer


def unset_is_empty(method: str, _: Message, answer: Answer) -> Answer:
    if method == "GetContextsByID":
        for context in answer.response.contexts:
            context.external_id = context.external_id
    return answer


@pytest.fixture(scope="module")
def twin():
    store = RealStore(python())
    yield store
    store.close()


def test_a_store_does_not_differ_from_its_twin(real, twin):
    tally = Tally()
    duels(real, twin, tally, 40)()
    assert tally.sequences == 40
    assert not +tally.differences - Counter({BY_UPDATE_TIME: 10**6})


@pytest.mark.parametrize(
    "fault",
    [
        another_status,
        lost_properties,
        events_in_another_order,
        update_time_that_stays,
        page_without_its_last_node,
        unset_is_empty,
    ],
)
def test_a_fault_is_found(real, fault):
    faulty = FaultyStore(fault)
    try:
        with pytest.raises(MismatchError, match="the stores differ"):
            duels(real, faulty, Tally(), 100)()
    finally:
        faulty.close()
