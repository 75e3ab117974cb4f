"""Both stores side by side, for fixed cases written in the text format."""

from dataclasses import dataclass

from google.protobuf import text_format
from google.protobuf.message import Message

from tests.differential.comparison import copy_of
from tests.differential.duel import Duel, Tally
from tests.differential.identities import messages_in
from tests.differential.peers import NAMES, Answer, Store, request_of, response_of

SETUP = """
artifact_types {
  name: "A"
  properties { key: "i" value: INT }
  properties { key: "d" value: DOUBLE }
  properties { key: "s" value: STRING }
  properties { key: "p" value: PROTO }
}
execution_types { name: "E" }
context_types { name: "C" }
"""


@dataclass(frozen=True)
class Step:
    """One call, and the answer of each store to it.

    Attributes:
        method: The name of the RPC.
        request: The request.
        real: The status of the real store, or its response when it is more than "OK". Responses are
            compared without times.
        ours: The same for ours; None where both answer the same.
    """

    method: str
    request: str
    real: str = "OK"
    ours: str | None = None


@dataclass(frozen=True)
class Case:
    """Calls that show one thing.

    Attributes:
        topic: The subject: for a deliberate difference, its name in `differences.DIFFERENCES`.
        about: The part of the subject that this case shows.
        steps: The calls, in order, on a store that holds SETUP.
    """

    topic: str
    about: str
    steps: tuple[Step, ...]


class Pair:
    """Both stores, each holding the types of SETUP."""

    def __init__(self, real: Store, ours: Store) -> None:
        self.sides = Duel(real, ours, Tally()).sides
        self.call("PutTypes", SETUP)

    def call(self, method: str, text: str = "") -> list[Answer]:
        """Return both answers, with symbols for ids."""
        request = text_format.Parse(text, request_of(method))
        return [side.call(method, request)[1] for side in self.sides]

    def read(self, method: str, text: str = "") -> list[Message]:
        """Return both responses as they came, ids and times and all."""
        request = text_format.Parse(text, request_of(method))
        answers = [side.call(method, request)[0] for side in self.sides]
        assert [answer.code for answer in answers] == [0, 0]
        return [answer.response for answer in answers]

    def check(self, case: Case) -> None:
        """Run the steps of a case and compare both answers with those of the case."""
        for step in case.steps:
            real, ours = self.call(step.method, step.request)
            _assert_answers(step, step.real, real)
            _assert_answers(step, step.real if step.ours is None else step.ours, ours)


def _timeless(response: Message) -> Message:
    bare = copy_of(response)
    for part in messages_in(bare):
        for descriptor, _ in part.ListFields():
            if descriptor.name.endswith("_since_epoch"):
                part.ClearField(descriptor.name)
    return bare


def _assert_answers(step: Step, expected: str, answer: Answer) -> None:
    if expected in NAMES.values():
        assert answer.status == expected, f"{step}: {answer.message}"
        return
    assert answer.status == "OK", f"{step}: {answer.message}"
    response = text_format.Parse(expected, response_of(step.method))
    assert _timeless(answer.response) == response, step
