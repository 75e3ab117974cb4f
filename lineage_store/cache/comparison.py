"""Comparison of keys: the components of one beside those of an earlier entry."""

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


def differences(stored: Components, components: Components) -> list[Difference]:
    """Return the components that are not the same on both sides, by name."""
    names = sorted(stored.keys() | components.keys())
    return [
        Difference(name, stored.get(name), components.get(name))
        for name in names
        if stored.get(name) != components.get(name)
    ]


def equal_count(stored: Components, components: Components) -> int:
    """Return how many components are the same on both sides."""
    return len(stored.items() & components.items())


def nearest(candidates: Iterable[tuple[T, Components]], components: Components) -> T | None:
    """Return the candidate with the most components in common, the first of several."""
    best: T | None = None
    most = -1
    for candidate, stored in candidates:
        count = equal_count(stored, components)
        if count > most:
            best, most = candidate, count
    return best
