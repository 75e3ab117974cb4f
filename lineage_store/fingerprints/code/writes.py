"""Statements of the project that write into installed modules, as its code objects have them.

Nothing is run: the code of the loaded modules of the project is read. A statement names the place
by a variable and the attributes that follow, such as `json.JSONEncoder.default`.
"""

import dis
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from operator import attrgetter, is_
from types import CodeType, FunctionType, ModuleType
from typing import Any, NamedTuple

from lineage_store.fingerprints.code.effects import READS, ROOTS, SKIPPED, Effect, effects_of
from lineage_store.fingerprints.code.graph import is_project_module
from lineage_store.fingerprints.code.origins import is_surely_installed

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
        names: The names of the modules of the project.
        of_project: Those modules.
        specs: Their specs.
        writing: Those with writes.
    """

    size: int
    modules: dict[str, tuple[Any, Any, ModuleWrites | None]]
    names: list[str]
    of_project: list[ModuleType]
    specs: list[Any]
    writing: list[ModuleWrites]

    def holds(self) -> bool:
        """Return whether no module came, went or was loaded again; hundreds are looked at."""
        return (
            len(sys.modules) == self.size
            and all(map(is_, map(sys.modules.get, self.names), self.of_project))
            and all(map(is_, map(_SPEC, self.of_project), self.specs))
        )


_SPEC = attrgetter("__spec__")

_table = _Table(0, {}, [], [], [], [])


def of_loaded_modules() -> list[ModuleWrites]:
    """Return the writes of all modules of the project that are loaded and have any."""
    global _table  # noqa: PLW0603 - one table for the process
    table = _table
    if not table.holds():
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
    of_project = {name: each for name, each in modules.items() if each[2] is not None}
    all_writes = [each for _, _, each in of_project.values() if each is not None]
    writing = [each for each in all_writes if each.writes or each.effects or not each.is_readable]
    return _Table(
        size=len(loaded_modules),
        modules=modules,
        names=list(of_project),
        of_project=[module for module, _, _ in of_project.values()],
        specs=[spec for _, spec, _ in of_project.values()],
        writing=writing,
    )


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
            effects += effects_of(code)
        for inner in _with_inner(code):
            _read_code(inner, writes, imports)
    return ModuleWrites(module, tuple(dict.fromkeys(writes)), tuple(effects), imports)


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
    steps = [step for step in dis.get_instructions(code) if step.opname not in SKIPPED]
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
        if not step.opname.startswith(ROOTS) or not isinstance(step.argval, str):
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
    while end < len(steps) and steps[end].opname in READS:
        end += 1
    if end < len(steps) and steps[end].opname in _ATTRIBUTE_WRITES:
        end += 1
    return tuple(str(step.argval) for step in steps[start:end]), end


def _set_by_name(steps: list[dis.Instruction], start: int) -> Iterator[Write]:
    """Yield the write of `setattr(root.chain, name, …)`."""
    if start < len(steps) and steps[start].opname.startswith(ROOTS):
        chain, end = _chain(steps, start + 1)
        root = str(steps[start].argval)
        if end < len(steps) and isinstance(steps[end].argval, str):
            is_text = steps[end].opname == "LOAD_CONST"
            if is_text:
                yield Write(root, (*chain, steps[end].argval), "attribute")
                return
        yield Write(root, chain, "setattr")
