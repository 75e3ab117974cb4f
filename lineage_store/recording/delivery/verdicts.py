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
    errors.InvalidArgument: (Verdict.NEVER, "the record is malformed, whatever the store holds"),
    errors.NotFound: (Verdict.NEVER, "it names what the store does not have"),
    errors.AlreadyExists: (Verdict.NEVER, "it clashes with what the store has"),
    errors.OutOfRange: (Verdict.NEVER, "it points outside of a list of its own"),
    errors.StaleClaim: (Verdict.NEVER, "its claim has ended; the step goes without its entry"),
    errors.TooLarge: (Verdict.NEVER, "alone it is larger than what the server takes"),
    errors.Cancelled: (Verdict.LATER, "the call was given up"),
    errors.DeadlineExceeded: (Verdict.LATER, "the store is slow"),
    errors.Unavailable: (Verdict.LATER, "the store is away"),
    errors.NotBegun: (Verdict.LATER, "the server is busy, or about to stop"),
    errors.Aborted: (Verdict.LATER, "the database is busy with other writers"),
    errors.ResourceExhausted: (Verdict.LATER, "the disk of the store is full, or it is overrun"),
    errors.Unauthenticated: (Verdict.LATER, "credentials have expired or are wrong"),
    errors.PermissionDenied: (Verdict.LATER, "access can be granted"),
    errors.Unimplemented: (Verdict.LATER, "the server is older; it can be upgraded"),
    errors.SchemaMismatch: (Verdict.LATER, "the database waits for its upgrade"),
    errors.NotOurDatabase: (Verdict.LATER, "the address leads to another database"),
    errors.FailedPrecondition: (Verdict.DOUBT, "the database is read-only, or has moved on"),
    errors.DataLoss: (Verdict.DOUBT, "what the store has is damaged, perhaps only in one place"),
    errors.Internal: (Verdict.DOUBT, "a defect of the server, perhaps only with this record"),
    errors.Unknown: (Verdict.DOUBT, "something between here and the store answered"),
}
"""For each class of error the verdict, and why."""


def verdict_of(error: errors.LineageError) -> Verdict:
    """Return the verdict of an error on the record that it answers; `DOUBT` if it is unlisted."""
    listed = (VERDICTS[cls][0] for cls in type(error).__mro__ if cls in VERDICTS)
    return next(listed, Verdict.DOUBT)
