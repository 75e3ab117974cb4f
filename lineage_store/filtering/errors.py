"""The errors in a filter, with their position."""

import difflib
from collections.abc import Iterable

from lineage_store import errors


class FilterError(Exception):
    """A mistake at one position of a filter.

    Attributes:
        message: The mistake, and the part that was expected.
        at: Characters from the start of the filter.
    """

    def __init__(self, message: str, at: int | None) -> None:
        super().__init__(message)
        self.message = message
        self.at = at or 0

    def as_error(self, text: str) -> errors.InvalidArgument:
        """Return the error for a client, which names line and column, counted from 1."""
        before = text[: self.at]
        line, column = before.count("\n") + 1, self.at - (before.rfind("\n") + 1) + 1
        where = f"line {line}, column {column}"
        return errors.InvalidArgument(f"Invalid `filter_query`: {self.message} ({where})")


def nearest(name: str, names: Iterable[str]) -> str:
    """Return "; did you mean X?" for the known name that is most like `name`, or nothing."""
    by_lower = {candidate.lower(): candidate for candidate in names}
    matches = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    return f"; did you mean {by_lower[matches[0]]}?" if matches else ""
