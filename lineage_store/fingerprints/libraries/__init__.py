"""Readers for the values of libraries: one module per library, and the table of all.

None of the libraries is imported here: a value of theirs can't exist before they are.

To add one, write a module with a `Reader` and name it in `LIBRARIES`. A reader returns None for
an unknown value, which is refused then, unless another class of the value's type is known.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from lineage_store.fingerprints.libraries import (
    arrow,
    numpy,
    pandas,
    polars,
    pydantic,
    scipy,
    sklearn,
    torch,
    zones,
)
from lineage_store.fingerprints.walk import Part, Walk

Reader = Callable[[Any, Any, Walk], Iterator[Part] | None]
"""Takes the module of the library, a value and the walk; returns the parts of the value."""

LIBRARIES: Mapping[str, Reader] = {
    "dateutil": zones.dateutil_parts,
    "numpy": numpy.parts,
    "pandas": pandas.parts,
    "polars": polars.parts,
    "pyarrow": arrow.parts,
    "pydantic": pydantic.parts,
    "pydantic_core": pydantic.core_parts,
    "pytz": zones.pytz_parts,
    "scipy": scipy.parts,
    "sklearn": sklearn.parts,
    "torch": torch.parts,
}
"""By the top-level package that a class lies in."""


def library_of(kind: type) -> str:
    """Return the top-level package that a class lies in."""
    return str(kind.__module__).partition(".")[0]
