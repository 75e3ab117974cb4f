"""Why a key is another one: its components beside those of an earlier entry."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")
STEP = "step"
"""The name of the component that says what kind of step a key is of (docs/cache-keys.md)."""

Components = Mapping[str, str]
"""Canonical text by name."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A component that is not the same; None on the side that does not have it."""

    name: str
    stored: str | None
    given: str | None


def differences(stored: Components, given: Components) -> list[Difference]:
    """Return the components that are not the same on both sides, by name."""
    names = sorted(stored.keys() | given.keys())
    return [
        Difference(name, stored.get(name), given.get(name))
        for name in names
        if stored.get(name) != given.get(name)
    ]


def equal_count(stored: Components, given: Components) -> int:
    """Return how many components are the same on both sides."""
    return len(stored.items() & given.items())


def nearest(candidates: Iterable[tuple[T, Components]], given: Components) -> T | None:
    """Return the candidate with the most components in common, the first of several."""
    best: T | None = None
    most = -1
    for candidate, stored in candidates:
        count = equal_count(stored, given)
        if count > most:
            best, most = candidate, count
    return best
