"""Statements of the project that write into installed modules, as its code objects have them.

Nothing is run: the code of the loaded modules of the project is read. A statement names the place
by a variable and the attributes that follow, such as `json.JSONEncoder.default`.
"""

import dis
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from types import CodeType, FunctionType, ModuleType
from typing import Any, NamedTuple

from lineage_store.fingerprints.code.bytecode import constant, facts_of
from lineage_store.fingerprints.code.graph import is_project_module
from lineage_store.fingerprints.code.origins import is_surely_installed

_SKIPPED = frozenset({"EXTENDED_ARG", "NOP", "CACHE", "PRECALL", "PUSH_NULL", "COPY", "SWAP"})
_ROOTS = ("LOAD_NAME", "LOAD_GLOBAL", "LOAD_FAST", "LOAD_DEREF")
_READS = frozenset({"LOAD_ATTR", "LOAD_METHOD"})
_ATTRIBUTE_WRITES = frozenset({"STORE_ATTR", "DELETE_ATTR"})
_ITEM_WRITES = frozenset({"STORE_SUBSCR", "DELETE_SUBSCR"})
_WRITING_CODES = frozenset(
    dis.opmap[name] for name in _ATTRIBUTE_WRITES | _ITEM_WRITES if name in dis.opmap
)
_SETTERS = frozenset({"setattr", "delattr"})
_MUTATORS = frozenset(
    {
        *("add", "append", "clear", "discard", "extend", "insert", "pop", "popitem", "remove"),
        *("reverse", "setdefault", "sort", "update"),
    }
)
"""Methods that change the object they are read from."""

_ENDS = frozenset(
    {
        *("POP_TOP", "STORE_NAME", "STORE_GLOBAL", "STORE_ATTR", "STORE_SUBSCR"),
        *("DELETE_NAME", "DELETE_ATTR", "DELETE_SUBSCR", "RETURN_VALUE", "RAISE_VARARGS"),
    }
)
"""Instructions that end a statement of a module."""

_EFFECTS = frozenset({"POP_TOP", "STORE_ATTR", "STORE_SUBSCR", "DELETE_ATTR", "DELETE_SUBSCR"})
"""Those that end one whose value nobody keeps."""

_STORES = frozenset({"STORE_NAME", "STORE_GLOBAL"})

_SETTING = re.compile(
    "set|seed|manual_seed|register|unregister|use|enable|disable|add_|reset|simplefilter"
    "|filterwarnings|pickle$|configure|config$|install|patch|rc$"
)
"""The names of functions that change settings begin so. Others, such as `savefig`, do not count:
a script calls many, and to change one would run all its steps again."""


@dataclass(frozen=True, slots=True)
class Write:
    """A statement that may write into an installed module.

    Attributes:
        root: The variable.
        chain: The attributes behind the variable; the last one is written.
        kind: "attribute", "content", "registry" or "setattr".
    """

    root: str
    chain: tuple[str, ...]
    kind: str


@dataclass(frozen=True, slots=True)
class Effect:
    """A statement of a module that may change a setting of a library, such as `np.seterr(…)`.

    Attributes:
        digest: The digest of the instructions and of the constants in them.
        callees: The variables whose settings may change.
        names: The variables that are mentioned.
        attributes: The attributes that are read.
    """

    digest: bytes
    callees: tuple[str, ...]
    names: tuple[str, ...]
    attributes: frozenset[str]


@dataclass(frozen=True, slots=True)
class LocalImport:
    """A variable that an import statement binds.

    Attributes:
        name: The variable.
        module: The module that is imported.
        attribute: The name imported from the module; "": the top of the module itself.
    """

    name: str
    module: str
    attribute: str


@dataclass(frozen=True, slots=True)
class ModuleWrites:
    """The statements of a module of the project that count in every step.

    Attributes:
        module: The module.
        writes: Statements that write into installed modules, in the module and in its functions.
        effects: Statements of the module itself that set up a library, in their order.
        imports: The variables that import statements bind.
        is_readable: Whether the code of the module could be read; if not, nobody knows.
    """

    module: ModuleType
    writes: tuple[Write, ...]
    effects: tuple[Effect, ...]
    imports: dict[str, LocalImport]
    is_readable: bool = True


class _Table(NamedTuple):
    """The modules as they were read, replaced as one: threads may read at the same time.

    Attributes:
        size: The number of loaded modules.
        modules: Each module, its spec, which a reload replaces, and its writes, by its name.
        of_project: The names of those of the project.
        writing: Those with writes.
    """

    size: int
    modules: dict[str, tuple[Any, Any, ModuleWrites | None]]
    of_project: list[str]
    writing: list[ModuleWrites]


_table = _Table(0, {}, [], [])


def of_loaded_modules() -> list[ModuleWrites]:
    """Return the writes of all modules of the project that are loaded and have any."""
    global _table  # noqa: PLW0603 - one table for the process
    table = _table
    if len(sys.modules) != table.size or not all(
        _is_read(table, name, sys.modules.get(name)) for name in table.of_project
    ):
        table = _table = _read_modules(table)
    return table.writing


def _read_modules(before: _Table) -> _Table:
    modules: dict[str, tuple[Any, Any, ModuleWrites | None]] = {}
    loaded_modules = dict(sys.modules)
    for name, module in loaded_modules.items():
        if _is_read(before, name, module):
            modules[name] = before.modules[name]
        elif isinstance(module, ModuleType):
            modules[name] = module, vars(module).get("__spec__"), _writes_of(module)
    of_project = [name for name, (_, _, each) in modules.items() if each is not None]
    all_writes = [each for _, _, each in modules.values() if each is not None]
    writing = [each for each in all_writes if each.writes or each.effects or not each.is_readable]
    return _Table(len(loaded_modules), modules, of_project, writing)


def _is_read(table: _Table, name: str, module: Any) -> bool:
    remembered = table.modules.get(name)
    return (
        remembered is not None
        and remembered[0] is module
        and remembered[1] is vars(module).get("__spec__")
    )


def _writes_of(module: ModuleType) -> ModuleWrites | None:
    """Return the writes of a module; None: it is none of the project."""
    has_code = vars(module).get("__file__") is not None or module.__name__ == "__main__"
    if not has_code or is_surely_installed(module) or not is_project_module(module):
        return None
    writes: list[Write] = []
    effects: list[Effect] = []
    imports: dict[str, LocalImport] = {}
    try:
        codes = list(_codes_of(module))
    except (ImportError, OSError, SyntaxError, ValueError):
        return ModuleWrites(module, (), (), {}, is_readable=False)
    for code in codes:
        if code.co_name == "<module>":
            effects += _effects_of(code)
        for inner in _with_inner(code):
            _read_code(inner, writes, imports)
    return ModuleWrites(module, tuple(dict.fromkeys(writes)), tuple(effects), imports)


def _effects_of(code: CodeType) -> Iterator[Effect]:
    """Yield the effects of a module, in their order."""
    steps = [step for step in dis.get_instructions(code) if step.opname not in _SKIPPED]
    constants = _constants_of(steps)
    statement: list[dis.Instruction] = []
    for step in steps:
        statement.append(step)
        if step.opname in _ENDS:
            callees = _callees(statement) if step.opname in _EFFECTS else ()
            if callees:
                yield _effect(statement, callees, constants)
            statement = []


def _constants_of(steps: list[dis.Instruction]) -> dict[str, Any]:
    """Return the variables of a module that are set once, to a constant, with their values."""
    counts = Counter(str(step.argval) for step in steps if step.opname in _STORES)
    return {
        str(step.argval): value.argval
        for value, step in pairwise(steps)
        if step.opname in _STORES and value.opname == "LOAD_CONST" and counts[step.argval] == 1
    }


def _callees(statement: list[dis.Instruction]) -> tuple[str, ...]:
    """Return the variables whose settings a statement may change."""
    opnames = {step.opname for step in statement}
    if "IMPORT_NAME" in opnames or not any(name.startswith("CALL") for name in opnames):
        return ()
    is_write = statement[-1].opname != "POP_TOP"
    roots = []
    for at, step in enumerate(statement):
        if step.opname.startswith(_ROOTS) and isinstance(step.argval, str):
            chain, _ = _chain(statement, at + 1)
            if is_write or _SETTING.match((chain or (step.argval,))[-1]):
                roots.append(step.argval)
    return tuple(dict.fromkeys(roots))


def _effect(
    statement: list[dis.Instruction], callees: tuple[str, ...], constants: dict[str, Any]
) -> Effect:
    digest = sha256()
    names: list[str] = []
    for step in statement:
        is_jump = step.opcode in dis.hasjrel or step.opcode in dis.hasjabs
        argument = b"" if is_jump else constant(step.argval)
        digest.update(f"{step.opname} {len(argument)} ".encode() + argument)
        if step.opname.startswith(_ROOTS) and isinstance(step.argval, str):
            names.append(step.argval)
        elif isinstance(step.argval, CodeType):
            names += [mention.name for mention in facts_of(step.argval).mentions]
    for name in names:
        if name in constants:
            digest.update(constant((name, constants[name])))
    attributes = frozenset(str(each.argval) for each in statement if each.opname in _READS)
    return Effect(digest.digest(), callees, tuple(dict.fromkeys(names)), attributes)


def _codes_of(module: ModuleType) -> Iterator[CodeType]:
    """Yield the code of a module; of one that was typed in, that of its functions.

    Raises:
        ImportError, OSError, SyntaxError or ValueError: The file is gone, or is no code any more.
    """
    names = vars(module)
    loader: Any = names.get("__loader__")
    is_typed = str(names.get("__file__", "<")).startswith("<")  # "<stdin>"
    if not is_typed and hasattr(loader, "get_code"):
        # With `python -m`, the loader of the main module has the name of that module's file.
        code = loader.get_code(getattr(loader, "name", module.__name__))
        if isinstance(code, CodeType):
            yield code
            return
    for value in tuple(vars(module).values()):
        members = tuple(vars(value).values()) if isinstance(value, type) else (value,)
        for each in members:
            if isinstance(each, FunctionType) and each.__module__ == module.__name__:
                yield each.__code__


def _with_inner(code: CodeType) -> Iterator[CodeType]:
    yield code
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _with_inner(inner)


def _read_code(code: CodeType, writes: list[Write], imports: dict[str, LocalImport]) -> None:
    names = frozenset(code.co_names)
    has_import = dis.opmap["IMPORT_NAME"] in code.co_code[::2]
    can_write = (
        not _WRITING_CODES.isdisjoint(code.co_code[::2])
        or not names.isdisjoint(_SETTERS | _MUTATORS)
        or any(name.startswith("register") for name in names)
    )
    if not has_import and not can_write:
        return
    steps = [step for step in dis.get_instructions(code) if step.opname not in _SKIPPED]
    if has_import:
        _read_imports(steps, imports)
    if can_write:
        _read_writes(steps, writes)


def _read_imports(steps: list[dis.Instruction], imports: dict[str, LocalImport]) -> None:
    module = ""
    for step, following in pairwise(steps):
        if step.opname == "IMPORT_NAME":
            module = str(step.argval)
        is_bound = following.opname.startswith("STORE_")
        if step.opname in {"IMPORT_NAME", "IMPORT_FROM"} and is_bound:
            attribute = str(step.argval) if step.opname == "IMPORT_FROM" else ""
            bound = str(following.argval)
            imports[bound] = LocalImport(bound, module, attribute)


def _read_writes(steps: list[dis.Instruction], writes: list[Write]) -> None:
    writes_items = any(step.opname in _ITEM_WRITES for step in steps)
    for at, step in enumerate(steps):
        if not step.opname.startswith(_ROOTS) or not isinstance(step.argval, str):
            continue
        chain, end = _chain(steps, at + 1)
        root = step.argval
        if root in _SETTERS and not chain:
            writes += _set_by_name(steps, at + 1)
        elif chain and steps[end - 1].opname in _ATTRIBUTE_WRITES:
            writes.append(Write(root, chain, "attribute"))
        elif (chain or (root,))[-1].startswith("register"):
            writes.append(Write(root, chain, "registry"))
        elif chain and chain[-1] in _MUTATORS:
            writes.append(Write(root, chain[:-1], "content"))
        elif writes_items:
            writes.append(Write(root, chain, "content"))


def _chain(steps: list[dis.Instruction], start: int) -> tuple[tuple[str, ...], int]:
    """Return the attributes that follow a variable, and the place behind them."""
    end = start
    while end < len(steps) and steps[end].opname in _READS:
        end += 1
    if end < len(steps) and steps[end].opname in _ATTRIBUTE_WRITES:
        end += 1
    return tuple(str(step.argval) for step in steps[start:end]), end


def _set_by_name(steps: list[dis.Instruction], start: int) -> Iterator[Write]:
    """Yield the write of `setattr(root.chain, name, …)`."""
    if start < len(steps) and steps[start].opname.startswith(_ROOTS):
        chain, end = _chain(steps, start + 1)
        root = str(steps[start].argval)
        if end < len(steps) and isinstance(steps[end].argval, str):
            is_text = steps[end].opname == "LOAD_CONST"
            if is_text:
                yield Write(root, (*chain, steps[end].argval), "attribute")
                return
        yield Write(root, chain, "setattr")
