"""Readers for values of the standard library, by type.

Each function reads with the methods of the type that it is for, never with those that a subclass
puts in their place.
"""

import random
import re
from array import array
from collections import ChainMap, OrderedDict, UserDict, UserList, UserString, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from pathlib import PurePath, PurePosixPath, PureWindowsPath
from types import MappingProxyType, SimpleNamespace
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from lineage_store import errors
from lineage_store.fingerprints.walk import SCALARS, Part, Walk

Reader = Callable[[Any, Walk], Iterable[Part]]


def _attributes(owner: type, *names: str) -> Reader:
    """Return a reader of these attributes, as a type defines them."""

    def reader(value: object, walk: Walk) -> Iterator[Part]:
        return walk.tokens(vars(owner)[name].__get__(value) for name in names)

    return reader


def _tuple(value: tuple[object, ...], walk: Walk) -> Iterator[Part]:
    names = getattr(type(value), "_fields", None)
    if type(names) is tuple:  # a namedtuple
        yield b"fields" + walk.token(names)
    if hasattr(type(value), "n_unnamed_fields"):  # such as a `struct_time`, with its zone
        yield walk.token(value.__reduce__()[1])
    yield from walk.tokens(tuple.__iter__(value))


def _set(value: Any, walk: Walk) -> Iterable[Part]:
    kind = set if issubclass(type(value), set) else frozenset
    return sorted(walk.tokens(kind.__iter__(value)))


def _defaultdict(value: defaultdict[object, object], walk: Walk) -> Iterator[Part]:
    yield walk.token(value.default_factory)
    yield from walk.pairs(dict.items(value))


def _deque(value: deque[object], walk: Walk) -> Iterator[Part]:
    yield walk.token(value.maxlen)
    yield from walk.tokens(deque.__iter__(value))


def _memoryview(value: memoryview, walk: Walk) -> Iterator[Part]:
    yield walk.token((value.format, value.shape))
    yield value.tobytes()


def _date(value: object, walk: Walk) -> Iterable[Part]:
    return _attributes(date, "year", "month", "day")(value, walk)


def _time(value: object, walk: Walk) -> Iterable[Part]:
    names = ("hour", "minute", "second", "microsecond", "fold", "tzinfo")
    owner = datetime if issubclass(type(value), datetime) else time
    return _attributes(owner, *names)(value, walk)


def _datetime(value: object, walk: Walk) -> Iterator[Part]:
    yield from _date(value, walk)
    yield from _time(value, walk)


def _timezone(value: timezone, walk: Walk) -> Iterator[Part]:
    return walk.tokens([value.utcoffset(None), value.tzname(None)])


def _zone(value: ZoneInfo, walk: Walk) -> Iterator[Part]:
    if value.key is None:
        raise errors.InvalidArgument("a ZoneInfo without a key has no fingerprint")
    return walk.tokens([value.key])


def _random(value: random.Random, walk: Walk) -> Iterator[Part]:
    return walk.tokens(random.Random.getstate(value))


def _mapping(value: Mapping[object, object], walk: Walk) -> Iterator[Part]:
    return walk.pairs(value.items())


def attributes_only(value: object, walk: Walk) -> Iterable[Part]:
    """Return no parts: the value has nothing but its attributes."""
    del value, walk
    return ()


def _pure_path(value: object, walk: Walk) -> Iterator[Part]:
    return walk.tokens([PurePath.__str__(value)])


def _scalar(kind: type, plain: Callable[[Any], Any]) -> Reader:
    """Return a reader of instances of subclasses of a scalar type."""
    return lambda value, _: [SCALARS[kind](plain(value))]


READERS: Mapping[type, Reader] = {
    list: lambda value, walk: walk.tokens(list.__iter__(value)),
    tuple: _tuple,
    dict: lambda value, walk: walk.pairs(dict.items(value)),
    # Its own order, which `move_to_end` changes, is not that of the dict below it.
    OrderedDict: lambda value, walk: walk.pairs(OrderedDict.items(value)),
    defaultdict: _defaultdict,
    set: _set,
    frozenset: _set,
    deque: _deque,
    ChainMap: lambda value, walk: walk.tokens(value.maps),
    # A copy has the type of the mapping behind the proxy, which nothing else tells.
    MappingProxyType: lambda value, walk: [walk.token(value.copy())],
    Mapping: _mapping,
    SimpleNamespace: attributes_only,
    UserDict: attributes_only,
    UserList: attributes_only,
    UserString: attributes_only,
    int: _scalar(int, int.__int__),
    float: _scalar(float, float.__float__),
    complex: _scalar(complex, complex.__complex__),
    str: _scalar(str, str.__str__),
    bytes: _scalar(bytes, bytes.__bytes__),
    bytearray: lambda value, _: [bytes(memoryview(value))],
    memoryview: _memoryview,
    array: lambda value, walk: [walk.token(value.typecode), array.tobytes(value)],
    range: _attributes(range, "start", "stop", "step"),
    slice: _attributes(slice, "start", "stop", "step"),
    datetime: _datetime,
    date: _date,
    time: _time,
    timedelta: _attributes(timedelta, "days", "seconds", "microseconds"),
    timezone: _timezone,
    ZoneInfo: _zone,
    Decimal: lambda value, walk: [walk.token(Decimal.__str__(value))],
    Fraction: _attributes(Fraction, "_numerator", "_denominator"),
    UUID: lambda value, walk: [walk.token(UUID.__str__(value))],
    PurePosixPath: _pure_path,
    PureWindowsPath: _pure_path,
    re.Pattern: _attributes(re.Pattern, "pattern", "flags"),
    random.Random: _random,
}
"""The reader of a value: that of the first class of its type that is named here."""
