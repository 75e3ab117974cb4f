"""Helpers that the steps use, in another module of the project."""

from dataclasses import dataclass
from types import SimpleNamespace

FLOOR = 1  # becomes: FLOOR = 2
CONF = SimpleNamespace(floor=1)  # becomes: CONF = SimpleNamespace(floor=2)
SAME = SimpleNamespace(floor=1)  # another word  # becomes: SAME = SimpleNamespace(floor=1)
MOVING = iter([1, 2, 3])  # becomes: MOVING = iter([7, 8, 9])


def scale(x):
    return x * 2  # becomes: return x * 3


def unrelated(x):
    return x + 1  # becomes: return x + 2


def add(x, k):
    return x + k


def clip(most):
    def decorate(function):
        def clipped(*args):
            return min(most, function(*args))

        return clipped

    return decorate


class Base:
    def fit(self, x):
        return self.value(x)

    def value(self, x):
        return x + FIRST


FIRST = 1  # becomes: FIRST = 5


class Model(Base):
    """A model without a method of its own."""


@dataclass
class Shape:
    side: int

    def area(self):
        return self.side * self.side  # becomes: return self.side * 4


@dataclass
class Plain:
    side: int

    def area(self):
        return self.side * 2


def adder(k):
    def added(x):
        return x + k

    return added
