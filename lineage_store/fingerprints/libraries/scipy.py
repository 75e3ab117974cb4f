"""scipy: sparse matrices and arrays by format, shape and the arrays that they consist of."""

import sys
from collections.abc import Iterator
from typing import Any

from lineage_store.fingerprints.walk import Part, Walk

_ARRAYS = {
    "csr": ("indptr", "indices", "data"),
    "csc": ("indptr", "indices", "data"),
    "bsr": ("indptr", "indices", "data"),
    "dia": ("offsets", "data"),
}


def parts(scipy: object, value: object, walk: Walk) -> Iterator[Part] | None:
    """Return the parts of a value of scipy; None: its type is unknown."""
    del scipy  # imports what it has only when it is asked for
    sparse = sys.modules.get("scipy.sparse")
    return _sparse(value, walk) if sparse is not None and sparse.issparse(value) else None


def _sparse(value: Any, walk: Walk) -> Iterator[Part]:
    yield walk.token((value.format, value.shape))
    if value.format in _ARRAYS:
        yield from walk.tokens(getattr(value, name) for name in _ARRAYS[value.format])
        return
    entries = value.tocoo()
    yield from walk.tokens([*(entries.coords), entries.data])
