"""Each number of an array once.

`numpy.unique` may keep the interpreter lock for as long as it works; sorting lets others run.
"""

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T", bound=np.integer[Any])


def distinct(numbers: NDArray[T]) -> NDArray[T]:
    """Return the numbers of an array, ascending, each once."""
    ascending = np.sort(numbers)
    is_first = np.ones(len(ascending), np.bool_)
    np.not_equal(ascending[1:], ascending[:-1], out=is_first[1:])
    return ascending[is_first]
