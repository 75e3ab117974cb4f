"""The errors of the store, and the one table that ties each to a status code.

LineageError
├── Cancelled · Unknown · DeadlineExceeded · PermissionDenied · Unauthenticated
├── InvalidArgument
├── NotFound
├── AlreadyExists
├── ResourceExhausted
│   └── TooLarge
├── FailedPrecondition
│   ├── SchemaMismatch
│   └── StaleClaim
├── Aborted
├── OutOfRange
├── Unimplemented
├── Internal
├── Unavailable
│   └── NotBegun
└── DataLoss
    └── NotOurDatabase

Each class has the canonical status `code` (the number that gRPC and ML Metadata use) and a stable
`reason`, which travels beside the code so that a client raises the very class the engine raised.
"""

from typing import ClassVar


class LineageError(Exception):
    """Any error that the store raises on purpose.

    Attributes:
        code: The canonical status code, a number that never changes for a class.
        reason: A stable name for programs to test.
        message: One sentence for people: the mistake and its remedy.
    """

    code: ClassVar[int] = 2
    reason: ClassVar[str] = "UNKNOWN"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Cancelled(LineageError):
    """The caller gave up."""

    code = 1
    reason = "CANCELLED"


class Unknown(LineageError):
    """A peer answered with a status that says nothing more."""

    code = 2
    reason = "UNKNOWN"


class InvalidArgument(LineageError):
    """The request is malformed, whatever the store holds."""

    code = 3
    reason = "INVALID_ARGUMENT"


class DeadlineExceeded(LineageError):
    """The answer did not come in the time that the caller allowed."""

    code = 4
    reason = "DEADLINE_EXCEEDED"


class NotFound(LineageError):
    """A node or type that was asked for is not in the store."""

    code = 5
    reason = "NOT_FOUND"


class AlreadyExists(LineageError):
    """A node or type that was to be created is in the store already."""

    code = 6
    reason = "ALREADY_EXISTS"


class PermissionDenied(LineageError):
    """The caller may not do this."""

    code = 7
    reason = "PERMISSION_DENIED"


class ResourceExhausted(LineageError):
    """A limit was reached: the size of a message, the space on a disk."""

    code = 8
    reason = "RESOURCE_EXHAUSTED"


class TooLarge(ResourceExhausted):
    """The message is larger than one side takes; in parts it may be taken."""

    reason = "TOO_LARGE"


class FailedPrecondition(LineageError):
    """The store is not in the state that the request demands."""

    code = 9
    reason = "FAILED_PRECONDITION"


class SchemaMismatch(FailedPrecondition):
    """The database was made by another revision of this software."""

    reason = "SCHEMA_MISMATCH"


class StaleClaim(FailedPrecondition):
    """The claim of a cache key is not the caller's, or no longer."""

    reason = "STALE_CLAIM"


class Aborted(LineageError):
    """A conflict with a concurrent call; the same call may succeed when repeated."""

    code = 10
    reason = "ABORTED"


class OutOfRange(LineageError):
    """An index points outside the list that it refers to."""

    code = 11
    reason = "OUT_OF_RANGE"


class Unimplemented(LineageError):
    """The call, or this form of it, is not supported."""

    code = 12
    reason = "UNIMPLEMENTED"


class Internal(LineageError):
    """A defect of the store; the log of the server has the details."""

    code = 13
    reason = "INTERNAL"


class Unavailable(LineageError):
    """The store can't answer now; try again later."""

    code = 14
    reason = "UNAVAILABLE"


class NotBegun(Unavailable):
    """The server did not begin the call, so whoever made it may make it again, also a write."""

    reason = "NOT_BEGUN"


class DataLoss(LineageError):
    """Stored data can't be read."""

    code = 15
    reason = "DATA_LOSS"


class NotOurDatabase(DataLoss):
    """The database holds something other than a lineage store."""

    reason = "NOT_OUR_DATABASE"


class Unauthenticated(LineageError):
    """The caller did not prove who it is."""

    code = 16
    reason = "UNAUTHENTICATED"


def _subclasses(cls: type[LineageError]) -> list[type[LineageError]]:
    return [cls] + [subclass for sub in cls.__subclasses__() for subclass in _subclasses(sub)]


BY_REASON: dict[str, type[LineageError]] = {cls.reason: cls for cls in _subclasses(LineageError)}
BY_CODE: dict[int, type[LineageError]] = {
    cls.code: cls for cls in LineageError.__subclasses__() if cls is not LineageError
}


def from_status(code: int, message: str, reason: str | None = None) -> LineageError:
    """Return the error for a status that a server answered.

    Args:
        code: The canonical status code.
        message: The text of the status.
        reason: The reason that came beside it, if any; it wins where it fits the code.
    """
    named = BY_REASON.get(reason or "")
    if named is not None and named.code == code:
        return named(message)
    return BY_CODE.get(code, Unknown)(message)
