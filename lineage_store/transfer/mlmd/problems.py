"""What could not be moved as it was, and what was done with it."""

from collections.abc import Callable
from dataclasses import dataclass

SHOWN = 1_000
"""Problems that are kept and told one by one; further ones are counted."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that did not fit.

    Attributes:
        where: What it is about, such as "artifact 12, custom property 'x'".
        what: What is wrong with it.
        done: What was done with it.
    """

    where: str
    what: str
    done: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}; {self.done}"


class Problems:
    """The problems met, told to `tell` as they are met.

    Attributes:
        count: How many were met.
        shown: The first of them.
    """

    def __init__(self, tell: Callable[[Problem], None] = lambda _: None) -> None:
        self.count = 0
        self.shown: list[Problem] = []
        self._tell = tell

    def add(self, where: str, what: str, done: str) -> None:
        """Remember a problem."""
        self.count += 1
        if len(self.shown) < SHOWN:
            self.shown.append(Problem(where, what, done))
            self._tell(self.shown[-1])
