"""The findings of a check, each with a hint on the remedy."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

MOST = 50
"""Findings of one kind in one table that are kept; the others are counted."""

REPAIRABLE = "`lineage-store db check --repair-index` rebuilds it"

HINTS = {
    "damage": "restore a backup, or save the readable rows with `lineage-store dump`",
    "body": "restore the row from a backup",
    "reference": "the row it points to was removed by something other than the store; "
    "restore that row from a backup, or delete this one",
    "name": "names must be unique; give one of them another name, or restore a backup",
    "column": f"the body is the truth; {REPAIRABLE} from it",
    "index": f"filters miss or misread it; {REPAIRABLE} from the body",
    "version": "a version was removed by something other than the store; restore a backup "
    "(`--repair-index` leaves the node alone: its body may be another, too)",
    "commit": "rows were added, removed or moved in time by something other than the store; "
    "compare with a backup",
    "counter": f"ids would be given out twice; {REPAIRABLE}",
}
"""The remedy, by the kind of finding."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One error in the contents of a store.

    Attributes:
        kind: A key of HINTS.
        table: The name of the table.
        key: The key of the row, as columns and values.
        message: The error in words.
    """

    kind: str
    table: str
    key: dict[str, Any]
    message: str

    @property
    def hint(self) -> str:
        """The remedy."""
        return HINTS[self.kind]


class Findings:
    """The findings so far: the first ones of each kind and table, and the number of all.

    Attributes:
        kept_findings: The first findings of each kind and table.
        totals: The number of findings, by kind and table.
    """

    def __init__(self) -> None:
        self.kept_findings: list[Finding] = []
        self.totals: Counter[tuple[str, str]] = Counter()

    def add(self, kind: str, table: str, key: dict[str, Any], message: str) -> None:
        """Count a finding, and keep it unless there are enough of its like."""
        self.totals[kind, table] += 1
        if self.totals[kind, table] <= MOST:
            self.kept_findings.append(Finding(kind, table, key, message))

    @property
    def total(self) -> int:
        """The number of findings."""
        return self.totals.total()
