"""Values in files: each in the safest form that it comes back from exactly as it was.

| form | of | how it is read |
| --- | --- | --- |
| `text`, `bytes` | `str`, `bytes` | as it is |
| `json` | values of JSON | as JSON |
| `npy` | arrays of numpy without objects | without pickle |
| `pandas`, `polars`, `arrow` | frames and tables | as Parquet |
| `pickle` | everything else | by running the code in it: see `recording.seals` |
"""

import importlib
import json
import pickle
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from lineage_store import errors
from lineage_store.fingerprints import fingerprint

PICKLE = "pickle"
"""The form that runs code when it is read."""


@dataclass(frozen=True, slots=True)
class Form:
    """A way to keep values in a file.

    Attributes:
        suffix: Of the file.
        fits: Returns whether a value may be kept so.
        write: Returns the content of the file.
        read: Returns the value.
    """

    suffix: str
    fits: Callable[[object], bool]
    write: Callable[[Any], bytes]
    read: Callable[[bytes], Any]


@dataclass(frozen=True, slots=True)
class ValueFile:
    """A value in a form, to be written into a file.

    Attributes:
        form: The name of the form.
        content: Of the file.
    """

    form: str
    content: bytes

    @property
    def suffix(self) -> str:
        """The suffix of the file."""
        return FORMS[self.form].suffix


def _is_a(*kinds: type) -> Callable[[object], bool]:
    return lambda value: type(value) in kinds


def _is_of(library: str, name: str) -> Callable[[object], bool]:
    """Return whether a value is of a class of a library, which is imported then."""

    def fits(value: object) -> bool:
        return library in sys.modules and type(value) is getattr(sys.modules[library], name)

    return fits


def _is_plain_array(value: Any) -> bool:  # noqa: ANN401 - an array of NumPy
    return _is_of("numpy", "ndarray")(value) and not value.dtype.hasobject


def _into(write: Callable[[Any, BytesIO], object]) -> Callable[[object], bytes]:
    """Return a function that writes a value into memory."""

    def content(value: object) -> bytes:
        file = BytesIO()
        write(value, file)
        return file.getvalue()

    return content


def _write_npy(value: object, file: BytesIO) -> None:
    sys.modules["numpy"].save(file, value, allow_pickle=False)


def _read_npy(content: bytes) -> object:
    return importlib.import_module("numpy").load(BytesIO(content), allow_pickle=False)


def _write_arrow(value: object, file: BytesIO) -> None:
    importlib.import_module("pyarrow.parquet").write_table(value, file)


def _read_arrow(content: bytes) -> object:
    return importlib.import_module("pyarrow.parquet").read_table(BytesIO(content))


def _read_with(library: str) -> Callable[[bytes], object]:
    return lambda content: importlib.import_module(library).read_parquet(BytesIO(content))


FORMS: Mapping[str, Form] = {
    "text": Form(
        ".txt",
        _is_a(str),
        lambda value: value.encode("utf-8", "surrogatepass"),
        lambda content: content.decode("utf-8", "surrogatepass"),
    ),
    "bytes": Form(".bin", _is_a(bytes), bytes, bytes),
    "json": Form(".json", _is_a(dict, list), lambda value: json.dumps(value).encode(), json.loads),
    "npy": Form(".npy", _is_plain_array, _into(_write_npy), _read_npy),
    "pandas": Form(
        ".parquet",
        _is_of("pandas", "DataFrame"),
        _into(lambda value, file: value.to_parquet(file, engine="pyarrow")),
        _read_with("pandas"),
    ),
    "polars": Form(
        ".parquet",
        _is_of("polars", "DataFrame"),
        _into(lambda value, file: value.write_parquet(file)),
        _read_with("polars"),
    ),
    "arrow": Form(".parquet", _is_of("pyarrow", "Table"), _into(_write_arrow), _read_arrow),
    PICKLE: Form(".pickle", lambda _: True, pickle.dumps, pickle.loads),
}
"""By name, in the order in which they are tried."""


def write(value: object) -> ValueFile | None:
    """Return a value in the first form that gives it back; None: there is none."""
    for name, form in FORMS.items():
        if not form.fits(value):
            continue
        with suppress(Exception):  # of the library, or of the value's own methods
            content = form.write(value)
            if _is_same(form.read(content), value, is_enough=name == PICKLE):
                return ValueFile(name, content)
    return None


def _is_same(restored: object, value: object, *, is_enough: bool) -> bool:
    """Return whether a value came back as it was.

    Args:
        restored: The value that was read back.
        value: The value.
        is_enough: True if reading it back is enough for a value without a fingerprint.
    """
    try:
        expected = fingerprint(value)
    except (errors.InvalidArgument, OSError):
        return is_enough
    return fingerprint(restored) == expected
