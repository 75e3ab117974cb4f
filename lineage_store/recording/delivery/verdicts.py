"""Verdicts of the store's errors on a record that was sent: never, later, or in doubt.

`VERDICTS` is the one table of it. docs/recording.md shows the same, and a test compares them.
"""

from enum import StrEnum

from lineage_store import errors


class Verdict(StrEnum):
    """The fate of a record that was answered with an error."""

    NEVER = "never"
    """The record is at fault: it is set aside as refused, and blocks nothing."""

    LATER = "later"
    """The store, or the way to it, is at fault: the record waits, and all behind it."""

    DOUBT = "doubt"
    """Either may be: the record waits, and those behind it are tried."""


VERDICTS: dict[type[errors.LineageError], tuple[Verdict, str]] = {
    errors.InvalidArgument: (Verdict.NEVER, "the record is malformed, for any store"),
    errors.NotFound: (
        Verdict.NEVER,
        "the record names a node or type that the store does not have",
    ),
    errors.AlreadyExists: (Verdict.NEVER, "the record clashes with a node of the store"),
    errors.OutOfRange: (Verdict.NEVER, "the record points outside its own lists"),
    errors.StaleClaim: (
        Verdict.NEVER,
        "the claim has ended; the step is recorded without its entry",
    ),
    errors.TooLarge: (Verdict.NEVER, "this record alone is larger than the server accepts"),
    errors.Cancelled: (Verdict.LATER, "the call was cancelled"),
    errors.DeadlineExceeded: (Verdict.LATER, "the store is slow"),
    errors.Unavailable: (Verdict.LATER, "the store is unreachable"),
    errors.NotBegun: (Verdict.LATER, "the server is busy, or about to stop"),
    errors.Aborted: (Verdict.LATER, "the database is busy with other writers"),
    errors.ResourceExhausted: (
        Verdict.LATER,
        "the disk of the store is full, or the store is overloaded",
    ),
    errors.Unauthenticated: (Verdict.LATER, "credentials have expired or are wrong"),
    errors.PermissionDenied: (Verdict.LATER, "access can be granted"),
    errors.Unimplemented: (Verdict.LATER, "the server is older; you can upgrade it"),
    errors.SchemaMismatch: (Verdict.LATER, "the database waits for its upgrade"),
    errors.NotOurDatabase: (Verdict.LATER, "the address leads to another database"),
    errors.FailedPrecondition: (Verdict.DOUBT, "the database is read-only, or has moved on"),
    errors.DataLoss: (Verdict.DOUBT, "data in the store is damaged, perhaps only in one place"),
    errors.Internal: (Verdict.DOUBT, "a defect of the server, perhaps only with this record"),
    errors.Unknown: (Verdict.DOUBT, "a system between this process and the store answered"),
}
"""For each class of error the verdict, and why."""


def verdict_of(error: errors.LineageError) -> Verdict:
    """Return the verdict of an error on the record that it answers; `DOUBT` if it is unlisted."""
    listed = (VERDICTS[cls][0] for cls in type(error).__mro__ if cls in VERDICTS)
    return next(listed, Verdict.DOUBT)
