"""What a check found, and what can be done about it."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

MOST = 50
"""Findings of one kind in one table that are kept; the others are counted."""

REPAIRABLE = "`lineage-store db check --repair-index` rebuilds it"

HINTS = {
    "damage": "restore a backup, or save what can be read with `lineage-store dump`",
    "body": "restore the row from a backup",
    "reference": "what it points to was removed by something other than the store; "
    "restore that from a backup, or delete this row",
    "name": "names must be unique; give one of them another name, or restore a backup",
    "column": f"the body is the truth; {REPAIRABLE} from it",
    "index": f"filters miss or misread it; {REPAIRABLE} from the body",
    "counter": f"ids would be given out twice; {REPAIRABLE}",
}
"""What to do, by the kind of finding."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it must be.

    Attributes:
        kind: A key of HINTS.
        table: In which table.
        key: In which row: the columns of its key and their values.
        message: What is wrong.
    """

    kind: str
    table: str
    key: dict[str, Any]
    message: str

    @property
    def hint(self) -> str:
        """What to do."""
        return HINTS[self.kind]


class Findings:
    """What was found so far, the first of each kind and table, and how many there are.

    Attributes:
        kept: The findings that are kept.
        totals: How many there are by kind and table.
    """

    def __init__(self) -> None:
        self.kept: list[Finding] = []
        self.totals: Counter[tuple[str, str]] = Counter()

    def add(self, kind: str, table: str, key: dict[str, Any], message: str) -> None:
        """Count a finding, and keep it unless there are enough of its like."""
        self.totals[kind, table] += 1
        if self.totals[kind, table] <= MOST:
            self.kept.append(Finding(kind, table, key, message))

    @property
    def total(self) -> int:
        """How many findings there are."""
        return self.totals.total()
