"""One digest for the content of a value: equal values have equal fingerprints, in any process.

| value | content of the SHA-256 |
| --- | --- |
| `bytes`, a `Path` of a file | the bytes, as `sha256sum` has it |
| a `Path` of a directory | names and contents, see `fingerprints.files` |
| None, `bool`, `int`, `float`, `complex`, `str` | type and value; NaN is one value |
| lists, tuples, dicts, deques and other collections | type and items, in their order |
| `set`, `frozenset` | type and items |
| dates, times, time zones, numbers, patterns, generators of random numbers | type and content |
| members of enums | the member, and all members of its type |
| dataclasses, classes of attrs and pydantic | the type and all attributes, not the fields alone |
| an instance of a subclass of one of these | its type, the content, and all attributes |
| values of libraries | see the modules of `fingerprints.libraries` |
| classes and functions of Python and of these libraries | where they can be imported from |
| values of registered types | the name of the type, and the value's stand-in |

All but bytes and files are hashed behind a tag that names the type, so that values of different
types never meet. A class counts by its name: its methods are code, see `fingerprints.code`.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from lineage_store import errors
from lineage_store.fingerprints.describing import describe
from lineage_store.fingerprints.files import Progress
from lineage_store.fingerprints.walk import Walk, type_name

T = TypeVar("T")

_registered: dict[type, Callable[[Any], Any]] = {}


def fingerprint(
    value: object,
    *,
    progress: Progress | None = None,
    files: bool = True,
    on_type: Callable[[type], None] | None = None,
) -> str:
    """Return "sha256:" and 64 hexadecimal digits that stand for the content of a value.

    A `str` is text, never a path: give a `pathlib.Path` for a file or a directory.

    Args:
        value: See the table of this module.
        progress: Called with path, bytes done and bytes in all while a file is read.
        files: Whether a path counts as the content of the file or directory; else as its text.
        on_type: Called with the type of each value that is met and is no scalar.

    Raises:
        InvalidArgument: The type is not known, the value holds itself, or one of its own methods
            raised an exception.
        OSError: A file can't be read.
    """
    try:
        digest = Walk(describe, _registered, progress, files=files, on_type=on_type).digest(value)
    except (errors.InvalidArgument, OSError):
        raise
    except RecursionError:
        raise errors.InvalidArgument(
            f"a value of type {_type_of(value)} is nested too deep"
        ) from None
    except Exception as error:  # of the value's own methods, which may be anything
        raise errors.InvalidArgument(
            f"a value of type {_type_of(value)} can't be read: {_reason(error)}"
        ) from error
    return f"sha256:{digest.hex()}"


def _type_of(value: object) -> str:
    """Return the name of a value's type; the type itself may refuse to tell."""
    try:
        return type_name(type(value))
    except Exception:  # the text of an error must not raise another
        return "unknown"


def _reason(error: Exception) -> str:
    """Return type and text of an exception, whose own text may raise another."""
    try:
        return f"{type(error).__name__}: {error}"[:500]
    except Exception:  # the type says enough
        return type(error).__name__


def register(kind: type[T], stand_in: Callable[[T], object]) -> None:
    """Make values of a type, and of its subclasses, known to `fingerprint`.

    Args:
        kind: The type; one that is known anyway is taken over.
        stand_in: Returns the stand-in for the content of a value: anything that has a fingerprint
            itself, such as bytes, a dict of parameters, or a tuple of arrays.
    """
    _registered[kind] = stand_in


def is_registered(kind: type) -> bool:
    """Return whether values of a type have a stand-in."""
    return any(base in _registered for base in kind.__mro__)
