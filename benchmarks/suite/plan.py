"""What is measured on which targets: all there is, or what the table of goals needs."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.suite.targets import VARIANTS, split
from benchmarks.suite.workloads import MIXED, WORKLOADS, WRITES

Work = tuple[str, int]
"""A workload and how many callers do it at once."""

CALLERS = (1, 8, 32, 64)
SHARED = ("step", "put 1", "get 1", "cache decision")
"""Workloads that many callers do at once."""


@dataclass(frozen=True)
class Group:
    """Targets that are compared, and what they do.

    Attributes:
        targets: Their names; ratios are to the first.
        works: What is measured.
    """

    targets: tuple[str, ...]
    works: tuple[Work, ...]


def alone(*workloads: str) -> tuple[Work, ...]:
    return tuple((workload, 1) for workload in workloads)


QUICK = (
    Group(
        ("mlmd", "ours"),
        (
            *alone("get 100", "artifacts of a context", "cache decision", "empty call"),
            *alone("put 1000"),
            *(("step", callers) for callers in CALLERS),
        ),
    ),
    Group(
        ("mlmd-embedded", "mlmd-embedded-wal", "ours-embedded"),
        alone("get 1", "get 100", "by name", "step", "32 steps", "32 steps recorded"),
    ),
    Group(
        ("mlmd-embedded@postgresql", "ours-embedded@postgresql"),
        alone("32 steps", "32 steps recorded"),
    ),
    Group(
        ("mlmd-embedded@mariadb", "ours-embedded@mariadb"), alone("put 100", "put 1000", "32 steps")
    ),
)
"""What the table of goals needs."""

EVERYTHING = (
    *(name for name in VARIANTS if name != "ours-2"),
    *(
        f"{name}@{backend}"
        for backend in ("postgresql", "mariadb")
        for name in ("mlmd", "ours", "ours-2", "mlmd-embedded", "ours-embedded")
    ),
)
"""Every target; those with a variant of SQLite on SQLite alone."""


def groups(
    targets: Sequence[str], workloads: Sequence[str], callers: Sequence[int]
) -> tuple[Group, ...]:
    """Return the targets, grouped by where they are, with all they are to do.

    Raises:
        ValueError: There is no such target or workload.
    """
    unknown = set(workloads) - {*WORKLOADS, MIXED}
    if unknown:
        raise ValueError(f"no such workload: {', '.join(sorted(unknown))}")
    together: dict[tuple[str, str], list[str]] = {}
    for name in targets:
        variant, backend = split(name)
        together.setdefault((variant.place, backend), []).append(name)
    return tuple(
        Group(tuple(names), _works(place, workloads, callers))
        for (place, _), names in together.items()
    )


def _works(place: str, workloads: Sequence[str], callers: Sequence[int]) -> tuple[Work, ...]:
    """Return what is done in a place: many callers call over gRPC."""
    many = [number for number in callers if number > 1] if place == "grpc" else []
    works = [(workload, 1) for workload in workloads if 1 in callers and workload != MIXED]
    works += [(w, number) for w in SHARED if w in workloads for number in many]
    if MIXED in workloads and place == "grpc":
        works.append((MIXED, 10))
    return tuple(works)


def reads_first(works: Sequence[Work]) -> list[Work]:
    """Return works so that those that read find the store as the fixture left it, or nearly so."""
    writing = {workload.name for workload in WRITES} | {MIXED}
    return sorted(works, key=lambda work: work[0] in writing)
