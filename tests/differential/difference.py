"""A deliberate difference from ML Metadata."""

from collections.abc import Callable
from dataclasses import dataclass

from google.protobuf.message import Message

from tests.differential.comparison import Exchange


@dataclass(frozen=True)
class Difference:
    """One thing that we do differently on purpose.

    Attributes:
        name: How test cases and logs refer to it.
        reason: The behaviour of MLMD, and ours instead.
        explains: Recognises a pair of different answers in a random sequence.
        avoids: Recognises a request (its ids tied to the state) that no random sequence may send,
            because the two stores would hold different things ever after, or the real one would
            be damaged.

    An entry with neither is about values that the strategies do not make, or about update times,
    which `update_times.py` and `pages.py` judge.
    """

    name: str
    reason: str
    explains: Callable[[Exchange], bool] | None = None
    avoids: Callable[[str, Message], bool] | None = None
