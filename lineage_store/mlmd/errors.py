"""The exceptions of ML Metadata's Python API, one for each canonical status code."""

from typing import ClassVar

OK = 0
CANCELLED = 1
UNKNOWN = 2
INVALID_ARGUMENT = 3
DEADLINE_EXCEEDED = 4
NOT_FOUND = 5
ALREADY_EXISTS = 6
PERMISSION_DENIED = 7
RESOURCE_EXHAUSTED = 8
FAILED_PRECONDITION = 9
ABORTED = 10
OUT_OF_RANGE = 11
UNIMPLEMENTED = 12
INTERNAL = 13
UNAVAILABLE = 14
DATA_LOSS = 15
UNAUTHENTICATED = 16


class StatusError(Exception):
    """The error that the store answered.

    Attributes:
        message: The text of the status.
        error_code: Its canonical code, one of the numbers of this module.
    """

    def __init__(self, message: str, error_code: int) -> None:
        super().__init__(message)
        self.message = message
        self.error_code = error_code


class _CodedError(StatusError):
    """A status error whose class stands for one code."""

    _code: ClassVar[int]

    def __init__(self, message: str) -> None:
        super().__init__(message, self._code)


class CancelledError(_CodedError):
    """The call was given up."""

    _code = CANCELLED


class UnknownError(StatusError):
    """The call failed for a reason that its code does not tell."""

    def __init__(self, message: str, error_code: int = UNKNOWN) -> None:
        super().__init__(message, error_code)


class InvalidArgumentError(_CodedError):
    """The request is malformed, or refers to nodes in a way that can't be."""

    _code = INVALID_ARGUMENT


class DeadlineExceededError(_CodedError):
    """The answer did not come within `client_timeout_sec`."""

    _code = DEADLINE_EXCEEDED


class NotFoundError(_CodedError):
    """A node or type that was asked for is not in the store."""

    _code = NOT_FOUND


class AlreadyExistsError(_CodedError):
    """A node or type that was to be created is in the store already."""

    _code = ALREADY_EXISTS


class PermissionDeniedError(_CodedError):
    """The caller may not do this."""

    _code = PERMISSION_DENIED


class UnauthenticatedError(_CodedError):
    """The caller did not prove who it is."""

    _code = UNAUTHENTICATED


class ResourceExhaustedError(_CodedError):
    """A limit was reached, such as the size of a message."""

    _code = RESOURCE_EXHAUSTED


class FailedPreconditionError(_CodedError):
    """The store is not in the state that the request demands."""

    _code = FAILED_PRECONDITION


class AbortedError(_CodedError):
    """A conflict with concurrent calls outlasted every attempt."""

    _code = ABORTED


class OutOfRangeError(_CodedError):
    """An index points outside the list that it refers to."""

    _code = OUT_OF_RANGE


class UnimplementedError(_CodedError):
    """The call, or this form of it, is not supported."""

    _code = UNIMPLEMENTED


class InternalError(_CodedError):
    """The store failed by a fault of its own."""

    _code = INTERNAL


class UnavailableError(_CodedError):
    """No server answers at the address of the store."""

    _code = UNAVAILABLE


class DataLossError(_CodedError):
    """Stored data can't be read."""

    _code = DATA_LOSS


_BY_CODE: dict[int, type[_CodedError] | type[UnknownError]] = {
    UNKNOWN: UnknownError,
    **{cls._code: cls for cls in _CodedError.__subclasses__()},
}


def exception_type_from_error_code(error_code: int) -> type[_CodedError] | type[UnknownError]:
    """Return the class that stands for a status code.

    Raises:
        KeyError: There is none: the code is OK, or no canonical code.
    """
    return _BY_CODE[error_code]


def make_exception(message: str, error_code: int) -> StatusError:
    """Return the exception for a status; UnknownError when the code has no class."""
    return _BY_CODE.get(error_code, UnknownError)(message)
