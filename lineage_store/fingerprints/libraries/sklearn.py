"""scikit-learn: estimators and pipelines by all their attributes: parameters and fitted values.

The parts of estimators, such as trees and losses, count by their pickled form.
"""

from collections.abc import Iterator
from typing import Any

from lineage_store.fingerprints.instances import state
from lineage_store.fingerprints.standard import READERS
from lineage_store.fingerprints.walk import Part, Walk, type_name


def parts(sklearn: Any, value: Any, walk: Walk) -> Iterator[Part] | None:
    """Return the parts of a value of scikit-learn; None: its type is unknown."""
    kind = type(value)
    if isinstance(value, sklearn.base.BaseEstimator):
        return iter([state(value, walk)])
    is_own = kind.__module__.partition(".")[0] == "sklearn"
    if not is_own or any(base in READERS for base in kind.__mro__):
        return None  # a Bunch, for one, is a dict
    return _as_pickled(value, walk)


def _as_pickled(value: object, walk: Walk) -> Iterator[Part]:
    reduced = value.__reduce_ex__(4)
    if isinstance(reduced, str):
        yield walk.token(reduced)
        return
    make, arguments, *rest = reduced
    yield type_name(make).encode()
    for argument in arguments:
        is_type = isinstance(argument, type)
        yield type_name(argument).encode() if is_type else walk.token(argument)
    for part in rest:  # the state, and the items of what is a list or a dict
        yield walk.token(list(part) if isinstance(part, Iterator) else part)
