"""Statements of a module that set up a library, such as `np.seterr(all="raise")`.

A statement counts by its text, and by the text of all statements of the module that bind the
variables in it. Values do not count: those of a script change while it runs.
"""

import dis
import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from inspect import CO_OPTIMIZED
from types import CodeType

from lineage_store.fingerprints.code.bytecode import constant, facts_of

SKIPPED = frozenset({"EXTENDED_ARG", "NOP", "CACHE", "PRECALL", "PUSH_NULL", "COPY", "SWAP"})
ROOTS = ("LOAD_NAME", "LOAD_GLOBAL", "LOAD_FAST", "LOAD_DEREF")
READS = frozenset({"LOAD_ATTR", "LOAD_METHOD"})
"""Instructions that mean nothing here, that read variables, and that read attributes."""

_BINDINGS = frozenset({"STORE_NAME", "STORE_GLOBAL"})
_WRITES = frozenset({"STORE_ATTR", "STORE_SUBSCR", "DELETE_ATTR", "DELETE_SUBSCR"})
_ENDS = _BINDINGS | _WRITES | {"POP_TOP", "DELETE_NAME", "IMPORT_STAR", "RETURN_VALUE"}
"""Instructions that end a statement of a module."""

_COMPREHENSIONS = frozenset({"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"})

_SETTING = re.compile(
    "set|seed|manual_seed|register|unregister|use|enable|disable|add_|reset|simplefilter"
    "|filterwarnings|pickle$|configure|config$|install|patch|rc$"
)


@dataclass(frozen=True, slots=True)
class Callee:
    """A variable that a statement calls, or an attribute of it.

    Attributes:
        root: The variable.
        chain: The attributes that are read from it.
        is_written: Whether the statement writes into what it calls, as `getcontext().prec = 5`.
    """

    root: str
    chain: tuple[str, ...]
    is_written: bool


@dataclass(frozen=True, slots=True)
class Effect:
    """A statement that calls something.

    Attributes:
        digest: The digest of its instructions, and of the statements that bind its variables.
        callees: The functions that it may call, if their names may say that they set something up.
        names: The variables that it mentions, and those statements.
    """

    digest: bytes
    callees: tuple[Callee, ...]
    names: tuple[str, ...]


Statement = list[dis.Instruction]


def is_setting(name: str) -> bool:
    """Return whether the name of a function says that it changes settings.

    Others, such as `savefig`, do not count: a script calls many, and to change one would run all
    its steps again.
    """
    return _SETTING.match(name) is not None


def effects_of(module_code: CodeType) -> Iterator[Effect]:
    """Yield the statements of a module, its class bodies included, that call something."""
    statements = [each for code in _bodies(module_code) for each in _statements(code)]
    binders: dict[str, list[Statement]] = {}
    for statement in statements:
        if statement[-1].opname in _BINDINGS:
            binders.setdefault(str(statement[-1].argval), []).append(statement)
    for statement in statements:
        callees = tuple(dict.fromkeys(_callees(statement)))
        if callees:
            yield _effect(statement, callees, binders)


def _bodies(code: CodeType) -> Iterator[CodeType]:
    """Yield the code of a module and of the class statements in it."""
    yield code
    for inner in code.co_consts:
        if isinstance(inner, CodeType) and not inner.co_flags & CO_OPTIMIZED:
            yield from _bodies(inner)


def _statements(code: CodeType) -> Iterator[Statement]:
    statement: Statement = []
    for step in dis.get_instructions(code):
        if step.opname in SKIPPED:
            continue
        statement.append(step)
        if step.opname in _ENDS:
            yield statement
            statement = []


def _callees(statement: Statement) -> Iterator[Callee]:
    opnames = {step.opname for step in statement}
    if "IMPORT_NAME" in opnames or not any(name.startswith("CALL") for name in opnames):
        return
    is_written = statement[-1].opname in _WRITES
    for at, step in enumerate(statement):
        if isinstance(step.argval, CodeType) and step.argval.co_name in _COMPREHENSIONS:
            for inner in _statements(step.argval):
                yield from _callees(inner)
        elif step.opname.startswith(ROOTS) and isinstance(step.argval, str):
            chain = _chain(statement, at + 1)
            if is_written or not chain or is_setting(chain[-1]):
                yield Callee(step.argval, chain, is_written)


def _chain(statement: Statement, start: int) -> tuple[str, ...]:
    end = start
    while end < len(statement) and statement[end].opname in READS:
        end += 1
    return tuple(str(step.argval) for step in statement[start:end])


def _effect(
    statement: Statement, callees: tuple[Callee, ...], binders: dict[str, list[Statement]]
) -> Effect:
    digest = sha256()
    names: dict[str, None] = {}
    pending = [statement]
    while pending:
        current = pending.pop()
        digest.update(_text(current))
        for name in _names(current):
            if name not in names:
                names[name] = None
                pending += binders.get(name, ())
    return Effect(digest.digest(), callees, tuple(names))


def _names(statement: Statement) -> Iterator[str]:
    for step in statement:
        if isinstance(step.argval, CodeType):
            yield from (mention.name for mention in facts_of(step.argval).mentions)
        elif step.opname.startswith(ROOTS) and isinstance(step.argval, str):
            yield step.argval


def _text(statement: Statement) -> bytes:
    parts = []
    for step in statement:
        is_jump = step.opcode in dis.hasjrel or step.opcode in dis.hasjabs
        argument = b"" if is_jump else constant(step.argval)
        parts.append(f"{step.opname} {len(argument)} ".encode() + argument)
    return b"".join(parts)
