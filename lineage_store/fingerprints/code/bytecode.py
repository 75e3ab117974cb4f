"""The digest of a code object, and the names that it mentions.

The digest covers everything that the interpreter runs: instructions, constants and names, also of
the functions within. File names, line numbers and comments do not count.
"""

import dis
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from types import CodeType
from typing import Any

_SKIPPED = frozenset({"EXTENDED_ARG", "NOP", "CACHE", "PRECALL", "PUSH_NULL"})
_LOADS = frozenset({"LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"})
_MEMBERS = frozenset({"LOAD_ATTR", "LOAD_METHOD", "STORE_ATTR", "DELETE_ATTR"})
_VARIABLES = (
    *("LOAD_FAST", "LOAD_DEREF", "LOAD_NAME", "LOAD_GLOBAL"),
    *("LOAD_CLASSDEREF", "LOAD_FROM_DICT"),
)
_REMEMBERED = 20_000
"""Code objects whose facts are kept."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A global name that code uses.

    Attributes:
        name: The name.
        chains: The attributes that are read from it, such as ("path", "join").
        is_value: It is also used in another way, such as passed on.
    """

    name: str
    chains: tuple[tuple[str, ...], ...]
    is_value: bool


@dataclass(frozen=True, slots=True)
class Import:
    """An import statement within code.

    Attributes:
        level: The dots before the name.
        module: The name behind the dots.
        names: The names that the statement imports from it; "*" for all.
        bound: The name that is bound first.
    """

    level: int
    module: str
    names: tuple[str, ...]
    bound: str


@dataclass(frozen=True, slots=True)
class CodeFacts:
    """Facts about a code object.

    Attributes:
        digest: The SHA-256 of the instructions, constants and names.
        mentions: Global names, ordered.
        imports: Import statements, in their order.
        attributes: Names of attributes, and of globals.
        members: Names of variables, each with an attribute that is read from it.
        passed: Names of variables that are used in another way.
    """

    digest: bytes
    mentions: tuple[Mention, ...]
    imports: tuple[Import, ...]
    attributes: frozenset[str]
    members: frozenset[tuple[str, str]]
    passed: frozenset[str]


_facts: dict[int, tuple[CodeType, CodeFacts]] = {}
"""By identity: two code objects that are equal to Python may have 1 and 1.0 as their constants."""


def facts_of(code: CodeType) -> CodeFacts:
    """Return the facts about a code object and the functions within it."""
    remembered = _facts.get(id(code))
    if remembered is not None and remembered[0] is code:
        return remembered[1]
    facts = _read_facts(code)
    if len(_facts) >= _REMEMBERED:
        _facts.clear()
    _facts[id(code)] = code, facts
    return facts


def _read_facts(code: CodeType) -> CodeFacts:
    chains: dict[str, set[tuple[str, ...]]] = {}
    values: set[str] = set()
    imports: list[Import] = []
    codes = list(_with_inner(code))
    for each in codes:
        _read_mentions(each, chains, values, imports)
    mentions = (
        Mention(name, tuple(sorted(chains.get(name, ()))), name in values)
        for name in sorted(chains.keys() | values)
    )
    digest = sha256(_encoded(code)).digest()
    names = frozenset(name for each in codes for name in each.co_names)
    members: set[tuple[str, str]] = set()
    passed: set[str] = set()
    for each in codes:
        _read_variables(each, members, passed)
    return CodeFacts(
        digest, tuple(mentions), tuple(imports), names, frozenset(members), frozenset(passed)
    )


def _with_inner(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _with_inner(constant)


def _read_mentions(
    code: CodeType, chains: dict[str, set[tuple[str, ...]]], values: set[str], imports: list[Import]
) -> None:
    steps = [step for step in dis.get_instructions(code) if step.opname not in _SKIPPED]
    for at, step in enumerate(steps):
        if step.opname in _LOADS:
            chain = _chain(steps, at + 1)
            if chain:
                chains.setdefault(step.argval, set()).add(chain)
            else:
                values.add(step.argval)
        elif step.opname == "IMPORT_NAME":
            level, names = steps[at - 2].argval, steps[at - 1].argval
            bound = next((s.argval for s in steps[at:] if s.opname.startswith("STORE_")), "")
            imports.append(Import(int(level or 0), step.argval, tuple(names or ()), str(bound)))


def _read_variables(code: CodeType, members: set[tuple[str, str]], passed: set[str]) -> None:
    """Add the variables that code reads: with the attribute that follows, or without."""
    steps = [step for step in dis.get_instructions(code) if step.opname not in _SKIPPED]
    for at, step in enumerate(steps):
        if not step.opname.startswith(_VARIABLES):
            continue
        names = step.argval if isinstance(step.argval, tuple) else (step.argval,)
        following = steps[at + 1] if at + 1 < len(steps) else step
        if following.opname in _MEMBERS and len(names) == 1:
            members.add((str(names[0]), str(following.argval)))
        else:
            passed.update(map(str, names))


def _chain(steps: list[dis.Instruction], start: int) -> tuple[str, ...]:
    """Return the attributes that are read one from the other, from an instruction on."""
    names: list[str] = []
    for step in steps[start:]:
        if step.opname not in _MEMBERS:
            break
        names.append(str(step.argval))
    return tuple(names)


def _encoded(code: CodeType) -> bytes:
    parts = [
        code.co_name.encode("utf-8", "surrogatepass"),
        repr((code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount)).encode(),
        repr(code.co_flags).encode(),
        code.co_code,
        code.co_exceptiontable,
        *map(_names, (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)),
        *map(constant, code.co_consts),
    ]
    return b"".join(len(part).to_bytes(8, "big") + part for part in parts)


def _names(names: tuple[str, ...]) -> bytes:
    return "\0".join(names).encode("utf-8", "surrogatepass")


def constant(value: Any) -> bytes:
    """Return bytes that stand for a constant of code: equal ones for equal types and values."""
    tag = type(value).__name__.encode()
    if isinstance(value, CodeType):
        return b"code " + facts_of(value).digest
    if isinstance(value, tuple | frozenset):
        parts = list(map(constant, value))
        parts = sorted(parts) if isinstance(value, frozenset) else parts
        return tag + b"".join(len(part).to_bytes(8, "big") + part for part in parts)
    if isinstance(value, str):
        return tag + b" " + value.encode("utf-8", "surrogatepass")
    if isinstance(value, int) and not isinstance(value, bool):
        return tag + b" " + hex(value).encode()
    return tag + b" " + (value if isinstance(value, bytes) else repr(value).encode())
