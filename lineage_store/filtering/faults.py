"""What is wrong with a filter, and where."""

import difflib
from collections.abc import Iterable

from lineage_store import errors


class Fault(Exception):
    """Something wrong at a place of a filter.

    Attributes:
        what: What is wrong, and what was expected.
        at: Characters from the start of the filter.
    """

    def __init__(self, what: str, at: int | None) -> None:
        super().__init__(what)
        self.what = what
        self.at = at or 0

    def as_error(self, text: str) -> errors.InvalidArgument:
        """Return the error for a client, which names line and column, counted from 1."""
        before = text[: self.at]
        line, column = before.count("\n") + 1, self.at - (before.rfind("\n") + 1) + 1
        where = f"line {line}, column {column}"
        return errors.InvalidArgument(f"Invalid `filter_query`: {self.what} ({where})")


def nearest(name: str, known: Iterable[str]) -> str:
    """Return "; did you mean X?" for the known name that is most like `name`, or nothing."""
    by_lower = {candidate.lower(): candidate for candidate in known}
    found = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    return f"; did you mean {by_lower[found[0]]}?" if found else ""
