"""A property that is computed once for each object."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class lazy_property(Generic[T]):  # noqa: N801 - a decorator, as cached_property
    """A property whose first value is kept in the object.

    It is what `functools.cached_property` is from Python 3.12 on: without a lock, which took 2 % of
    a cache decision. Objects of one thread use it.

    Args:
        compute: Takes the object, and returns the value.
    """

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self._compute = compute
        self.__doc__ = compute.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: object, owner: type | None = None) -> T:
        value = self._compute(instance)
        instance.__dict__[self._name] = value
        return value
