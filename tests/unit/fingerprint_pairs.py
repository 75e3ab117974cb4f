"""Pairs of values: those that a step can tell apart, and those that it can't.

A pair of equals is one function, called twice, or two ways to the same value.
"""

import pickle
import random
import re
from array import array
from collections import ChainMap, Counter, OrderedDict, UserDict, UserList, defaultdict, deque
from collections import namedtuple as named
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, Flag, IntEnum, StrEnum
from fractions import Fraction
from functools import cached_property
from pathlib import PurePosixPath, PureWindowsPath
from time import struct_time
from types import MappingProxyType, SimpleNamespace
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

BERLIN = ZoneInfo("Europe/Berlin")
PLUS_ONE = timezone(timedelta(hours=1))
W = named("W", "a b")
X = named("X", "a b")


class Words(list):
    """A list with attributes."""


class Names(dict):
    pass


class Label(str):
    pass


class Slotted(str):
    __slots__ = ("unit",)


class Count(int):
    pass


class Ratio(float):
    pass


class Blob(bytes):
    pass


class Tags(set):
    pass


class Frozen(frozenset):
    pass


class Queue(deque):
    pass


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Level(IntEnum):
    LOW = 1


class Plain(Enum):
    LOW = 1


class Right(Flag):
    READ = 1
    WRITE = 2


def level(**members: Any) -> Any:
    """Return the member LOW of an enum with these members, which is called like any other."""
    kind = Enum("Level", members, module=__name__)
    return kind.LOW  # type: ignore[attr-defined]


@dataclass
class Options:
    depth: int = 1
    extra: dict[str, int] = field(default_factory=dict)

    @cached_property
    def double(self) -> int:
        return self.depth * 2


@dataclass(frozen=True, slots=True)
class Small:
    depth: int = 1


@dataclass
class Table(list):
    name: str = ""


class Settings(Mapping):
    def __init__(self, items: Any, mode: str = "r") -> None:
        self._items = dict(items)
        self.mode = mode

    def __getitem__(self, key: Any) -> Any:
        return self._items[key]

    def __iter__(self) -> Any:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)


def having(value: Any, **attributes: Any) -> Any:
    """Return a value with attributes."""
    for name, content in attributes.items():
        setattr(value, name, content)
    return value


def table(name: str, *items: Any) -> Table:
    rows = Table(name)
    rows.extend(items)
    return rows


def at(*moment: int, **options: Any) -> datetime:
    return datetime(2026, 10, 25, *moment, **options)  # noqa: DTZ001 - naive ones are meant, too


def moved(name: str) -> OrderedDict[str, int]:
    numbers = OrderedDict(a=1, b=2)
    numbers.move_to_end(name)
    return numbers


def localtime(zone: str) -> struct_time:
    return struct_time((2026, 1, 2, 3, 4, 5, 6, 7, 0, zone, 3600))


DIFFERENT: dict[str, tuple[Any, Any]] = {
    "two namedtuples": (W(2, 3), X(2, 3)),
    "a namedtuple and a tuple": (W(2, 3), (2, 3)),
    "namedtuples with other names of fields": (W(2, 3), named("W", "a c")(2, 3)),
    "a list and a subclass": ([1], Words([1])),
    "attributes of a list": (having(Words([1]), unit="m"), having(Words([1]), unit="km")),
    "an attribute more": (Words([1]), having(Words([1]), unit="m")),
    "a dict and a subclass": ({"a": 1}, Names(a=1)),
    "attributes of a dict": (having(Names(a=1), x=1), having(Names(a=1), x=2)),
    "a str and a subclass": ("a", Label("a")),
    "attributes of a str": (having(Label("a"), x=1), having(Label("a"), x=2)),
    "slots of a str": (having(Slotted("a"), unit=1), having(Slotted("a"), unit=2)),
    "a slot that is not assigned": (Slotted("a"), having(Slotted("a"), unit=None)),
    "an int and a subclass": (1, Count(1)),
    "attributes of an int": (having(Count(1), x=1), having(Count(1), x=2)),
    "a float and a subclass": (1.0, Ratio(1)),
    "attributes of a float": (having(Ratio(1), x=1), having(Ratio(1), x=2)),
    "bytes and a subclass": ([b"a"], [Blob(b"a")]),
    "bytes and a subclass at the top": (b"a", Blob(b"a")),
    "attributes of bytes": (having(Blob(b"a"), x=1), having(Blob(b"a"), x=2)),
    "a set and a subclass": ({1}, Tags({1})),
    "attributes of a set": (having(Tags({1}), x=1), having(Tags({1}), x=2)),
    "a frozenset and a subclass": (frozenset({1}), Frozen({1})),
    "a deque and a subclass": (deque([1]), Queue([1])),
    "fields of a dataclass that is a list": (table("a", 1), table("b", 1)),
    "items of a dataclass that is a list": (table("a", 1), table("a", 2)),
    "an attribute that is no field": (Options(), having(Options(), more=1)),
    "dataclasses": (Options(1), Options(2)),
    "a dataclass and what it holds": (Small(1), {"depth": 1}),
    "two dataclasses": (Small(1), Options(1)),
    "order of a dict": ({"name": 1, "id": 2}, {"id": 2, "name": 1}),
    "order of a dict within": ([{"b": 1, "a": 2}], [{"a": 2, "b": 1}]),
    "order of an OrderedDict": (OrderedDict(a=1, b=2), OrderedDict(b=2, a=1)),
    "an OrderedDict in which one was moved": (moved("a"), OrderedDict(a=1, b=2)),
    "what a struct_time does not list": (localtime("UTC+1"), localtime("UTC+2")),
    "a dict and an OrderedDict": ({"a": 1}, OrderedDict(a=1)),
    "factories": (defaultdict(int, a=1), defaultdict(list, a=1)),
    "no factory": (defaultdict(None, a=1), defaultdict(int, a=1)),
    "a dict and a defaultdict": ({"a": 1}, defaultdict(int, a=1)),
    "a dict and a Counter": ({"a": 1}, Counter(a=1)),
    "order of a Counter": (Counter("ab"), Counter("ba")),
    "bounds of a deque": (deque([1]), deque([1], maxlen=5)),
    "a deque and a list": (deque([1]), [1]),
    "a dict and a proxy": ({"a": 1}, MappingProxyType({"a": 1})),
    "proxies": (MappingProxyType({"a": 1}), MappingProxyType(defaultdict(int, a=1))),
    "a dict and a ChainMap": ({"a": 1}, ChainMap({"a": 1})),
    "maps of a ChainMap": (ChainMap({"a": 1}, {"b": 2}), ChainMap({"a": 1, "b": 2})),
    "a mapping of one's own": (Settings({"a": 1}), Settings({"a": 2})),
    "attributes of a mapping": (Settings({"a": 1}), Settings({"a": 1}, "w")),
    "zones": (at(10, tzinfo=BERLIN), at(10, tzinfo=PLUS_ONE)),
    "zones of the same offset": (at(1, tzinfo=BERLIN), at(1, tzinfo=ZoneInfo("Europe/Paris"))),
    "a zone and none": (at(1), at(1, tzinfo=UTC)),
    "zones of a time": (time(1, tzinfo=BERLIN), time(1)),
    "times of two zones": (time(1, tzinfo=BERLIN), time(1, tzinfo=ZoneInfo("Asia/Tokyo"))),
    "zones themselves": (BERLIN, ZoneInfo("Europe/Paris")),
    "a name for an offset": (PLUS_ONE, timezone(timedelta(hours=1), "CET")),
    "UTC and an offset of nothing": (ZoneInfo("UTC"), UTC),
    "fold": (at(2, 30, tzinfo=BERLIN), at(2, 30, tzinfo=BERLIN, fold=1)),
    "fold of a time": (time(2), time(2, fold=1)),
    "microseconds": (time(1), time(1, 0, 0, 1)),
    "a date and midnight": (date(2026, 10, 25), at(0)),
    "spans": (timedelta(1), timedelta(1, 0, 1)),
    "a set and a frozenset": ({1}, frozenset({1})),
    "bytes and a bytearray": (b"a", bytearray(b"a")),
    "bytes and a memoryview": (b"a", memoryview(b"a")),
    "formats of a memoryview": (memoryview(b"aa"), memoryview(b"aa").cast("H")),
    "arrays of two types": (array("i", [1]), array("l", [1])),
    "a list and a tuple": ([1], (1,)),
    "a list and a tuple within": ({"a": [1]}, {"a": (1,)}),
    "a list and a UserList": ([1], UserList([1])),
    "a dict and a UserDict": ({"a": 1}, UserDict(a=1)),
    "1 and True": (1, True),
    "1 and 1.0": (1, 1.0),
    "1.0 and True": (1.0, True),
    "1 and 1+0j": (1.0, 1 + 0j),
    "0.0 and -0.0": (0.0, -0.0),
    "signs of a complex": (complex(0.0, 0.0), complex(0.0, -0.0)),
    "NaN and None": (float("nan"), None),
    "NaN and infinity": (float("nan"), float("inf")),
    "keys 1 and 1.0": ({1: "a"}, {1.0: "a"}),
    "keys 1 and '1'": ({1: "a"}, {"1": "a"}),
    "a member and its text": (Colour.RED, "red"),
    "a member and its number": (Level.LOW, 1),
    "members of two enums": (Level.LOW, Plain.LOW),
    "values of other members": (level(LOW=1, HIGH=2), level(LOW=1, HIGH=3)),
    "names of other members": (level(LOW=1, HIGH=2), level(LOW=1, TOP=2)),
    "flags": (Right.READ, Right.READ | Right.WRITE),
    "a flag and its value": (Right.READ | Right.WRITE, 3),
    "ranges that compare equal": (range(0, 3, 2), range(0, 4, 2)),
    "a range and a list": (range(2), [0, 1]),
    "slices": (slice(1, 2), slice(1, 2, 1)),
    "zeros at the end": (Decimal("1.0"), Decimal("1.00")),
    "a Decimal and a number": (Decimal(1), 1),
    "a Fraction and a number": (Fraction(1, 1), 1),
    "Fractions": (Fraction(1, 2), Fraction(1, 3)),
    "a UUID and its text": (UUID(int=1), str(UUID(int=1))),
    "flags of a pattern": (re.compile("a"), re.compile("a", re.IGNORECASE)),
    "patterns": (re.compile("a"), re.compile("b")),
    "patterns of bytes": (re.compile("a"), re.compile(b"a")),
    "seeds": (random.Random(1), random.Random(2)),
    "namespaces": (SimpleNamespace(floor=1), SimpleNamespace(floor=2)),
    "a namespace and a dict": (SimpleNamespace(floor=1), {"floor": 1}),
    "paths as texts": (PurePosixPath("a"), "a"),
    "sorts of paths": (PurePosixPath("a"), PureWindowsPath("a")),
    "classes of Python": (int, float),
    "a class and its name": (int, "builtins.int"),
    "functions of Python": (len, sum),
    "nesting": ([[1], 2], [[1, 2]]),
    "nesting of empty lists": ([[], []], [[[]]]),
    "one text and two": (["ab"], ["a", "b"]),
    "the empty values": ([], ()),
    "an Ellipsis and its text": (..., "Ellipsis"),
}


def shared() -> list[Any]:
    part = [0] * 100
    return [part, part]


def deep(levels: int) -> Any:
    value: Any = 0
    for _ in range(levels):
        value = [value, value]
    return value


def many() -> list[Any]:
    value: Any = [0] * 40
    for _ in range(60):
        value = [value, value]
    return list(value)


def computed() -> Options:
    options = Options(3)
    assert options.double == 6
    return options


def again(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))


EQUAL: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    name: (make, make)
    for name, make in {
        "namedtuples": lambda: W(2, (3, [4])),
        "subclasses with attributes": lambda: having(Words([1, "x"]), unit="m"),
        "slots": lambda: having(Slotted("a"), unit=2),
        "dataclasses": lambda: Options(2, {"a": 1}),
        "small dataclasses": lambda: Small(2),
        "dataclasses that are lists": lambda: table("a", 1, 2),
        "dicts": lambda: {"b": 1, "a": [2, None, {"c": (1,)}]},
        "defaultdicts": lambda: defaultdict(list, a=[1]),
        "counters": lambda: Counter("abca"),
        "deques": lambda: deque([1, 2], maxlen=3),
        "proxies": lambda: MappingProxyType({"a": 1}),
        "chains": lambda: ChainMap({"a": 1}, {"b": 2}),
        "mappings": lambda: Settings({"a": 1}),
        "moments": lambda: at(2, 30, tzinfo=BERLIN, fold=1),
        "times": lambda: time(1, 2, 3, 4, PLUS_ONE),
        "members": lambda: [Colour.RED, Level.LOW, Plain.LOW, Right.READ | Right.WRITE],
        "enums that are made": lambda: level(LOW=1, HIGH=[2]),
        "patterns": lambda: re.compile("a+", re.MULTILINE),
        "generators": lambda: random.Random(7),
        "numbers": lambda: [Decimal("1.50"), Fraction(2, 4), 1 + 2j, 10**5000, -0.0],
        "texts that are no Unicode": lambda: "\ud800",
        "NaN": lambda: float("nan"),
        "namespaces": lambda: SimpleNamespace(b=1, a=[2]),
        "what is shared": shared,
        "what is shared many times": many,
        "sets of texts": lambda: {f"word {at}" for at in range(50)},
        "frozensets of tuples": lambda: frozenset((str(at), at) for at in range(50)),
        "arrays": lambda: array("d", [1.5, 2]),
        "memoryviews": lambda: memoryview(b"abcd").cast("H"),
        "paths": lambda: PurePosixPath("a/b"),
        "classes": lambda: [int, dict, datetime, len, re.compile],
        "long texts": lambda: ["x" * 2_000_000],
    }.items()
} | {
    "sets in any order": (lambda: {3, 1, 2}, lambda: {2, 3, 1}),
    "sets in dicts": (lambda: {1: {2, 3}}, lambda: {1: {3, 2}}),
    "one list twice and two lists": (shared, lambda: [[0] * 100, [0] * 100]),
    "NaN of other bits": (lambda: float("nan"), lambda: -float("nan")),
    "keyword arguments": (lambda: Options(1), lambda: Options(depth=1)),
    "what a cached_property has kept": (computed, lambda: Options(3)),
    "order of attributes": (
        lambda: having(Words(), a=1, b=2),
        lambda: having(Words(), b=2, a=1),
    ),
    "a pickled dataclass": (lambda: Options(2), lambda: again(Options(2))),
    "a pickled list": (lambda: table("a", 1), lambda: again(table("a", 1))),
    "a pickled namedtuple": (lambda: W(1, 2), lambda: again(W(1, 2))),
    "a pickled moment": (lambda: at(1, tzinfo=BERLIN), lambda: again(at(1, tzinfo=BERLIN))),
    "a pickled member": (lambda: Colour.RED, lambda: again(Colour.RED)),
    "a pickled pattern": (lambda: re.compile("a"), lambda: again(re.compile("a"))),
    "a pickled generator": (lambda: random.Random(1), lambda: again(random.Random(1))),
    "a pickled deque": (lambda: Queue([1], 2), lambda: again(Queue([1], 2))),
    "a pickled set": (lambda: Tags({"a", "b"}), lambda: again(Tags({"b", "a"}))),
    "a zone from the cache": (lambda: BERLIN, lambda: ZoneInfo.no_cache("Europe/Berlin")),
    "texts joined": (lambda: "ab" * 2, lambda: "".join(["ab", "ab"])),
}


def main() -> None:
    """Print the fingerprints of all equals, for a comparison with those of another process."""
    from lineage_store.fingerprints import fingerprint  # noqa: PLC0415 - the table needs none

    for name, (make, _) in EQUAL.items():
        print(name, fingerprint(make()))


if __name__ == "__main__":
    main()
