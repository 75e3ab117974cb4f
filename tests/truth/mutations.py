"""One random change of the text of a package, made in its syntax tree."""

import ast
import random
from collections.abc import Callable
from typing import Any, cast

Files = dict[str, str]

Mutate = Callable[[Any, random.Random, list[str]], bool]
"""Changes a node in place; takes the names of the file. False: there is nothing to change."""

_OPERATORS: list[type[ast.operator]] = [
    ast.Add,
    ast.Sub,
    ast.Mult,
    ast.FloorDiv,
    ast.Mod,
    ast.BitOr,
]
_COMPARISONS: list[type[ast.cmpop]] = [
    *(ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Is, ast.IsNot, ast.In, ast.NotIn)
]
_MODULES = ("m0", "m1", "m2", "m3")


def mutate(files: Files, chance: random.Random) -> tuple[str, Files]:
    """Return what was changed, and the files with that one change."""
    while True:
        kind = chance.choice(list(_MUTATIONS))
        path = chance.choice(list(files))
        tree = ast.parse(files[path])
        nodes = [node for node in ast.walk(tree) if isinstance(node, _MUTATIONS[kind][0])]
        if not nodes:
            continue
        node = chance.choice(nodes)
        before, plain = ast.unparse(node), ast.unparse(tree)
        if not _MUTATIONS[kind][1](node, chance, _names(tree)):
            continue
        try:
            after, now = ast.unparse(ast.fix_missing_locations(tree)), ast.unparse(node)
        except ValueError:  # a part of a text in braces that is no text any more
            continue
        if after != plain:
            return f"{kind} in {path}: {before!r:.300} => {now!r:.300}", {**files, path: after}


def _names(tree: ast.AST) -> list[str]:
    """Return the names that a file reads and defines, in the order in which they come."""
    names: dict[str, None] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            names[node.id] = None
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            names[node.name] = None
    return list(names)


def _constant(node: ast.Constant, chance: random.Random, _: list[str]) -> bool:
    node.value = chance.choice(_other_constants(node.value))
    return True


def _other_constants(value: Any) -> list[Any]:
    if isinstance(value, bool) or value is None:
        return [not value, 0, 1, "None"]
    if isinstance(value, int):
        return [value + 1, value - 1, -value, float(value), value * 10, bool(value), str(value)]
    if isinstance(value, float):
        return [value + 0.25, -value, int(value)]
    if isinstance(value, str):
        return [value + "a", value[::-1], value.upper(), "", value.encode()]
    return [value + b"a", value[::-1], b""] if isinstance(value, bytes) else [None]


def _operator(node: ast.BinOp | ast.AugAssign, chance: random.Random, _: list[str]) -> bool:
    node.op = chance.choice(_OPERATORS)()
    return True


def _swap(node: ast.BinOp, chance: random.Random, _: list[str]) -> bool:
    del chance
    node.left, node.right = node.right, node.left
    return True


def _comparison(node: ast.Compare, chance: random.Random, _: list[str]) -> bool:
    node.ops[chance.randrange(len(node.ops))] = chance.choice(_COMPARISONS)()
    return True


def _logic(node: ast.BoolOp | ast.If | ast.IfExp, chance: random.Random, _: list[str]) -> bool:
    if isinstance(node, ast.BoolOp):
        node.op = ast.And() if isinstance(node.op, ast.Or) else ast.Or()
        node.values = chance.sample(node.values, len(node.values))
    else:
        node.test = ast.UnaryOp(ast.Not(), node.test)
    return True


def _import(node: ast.ImportFrom, chance: random.Random, names: list[str]) -> bool:
    """Import from another module, or another name under the name that is used."""
    alias = chance.choice(node.names)
    if alias.name in _MODULES:
        alias.asname, alias.name = alias.asname or alias.name, chance.choice(_MODULES)
    elif chance.random() < 0.5 or alias.name == "*":
        below, _, _ = (node.module or "").rpartition(".")
        module = chance.choice(_MODULES)
        node.module = f"{below}.{module}" if below else module
    else:
        alias.asname = alias.asname or alias.name
        alias.name = chance.choice([*names, "norm", "spare", "RATE", "SPARE"])
    return True


def _plain_import(node: ast.Import, chance: random.Random, _: list[str]) -> bool:
    alias = node.names[0]
    if not alias.name.startswith("pkg."):
        return False
    alias.name = f"pkg.{chance.choice(_MODULES)}"
    return True


def _bases(node: ast.ClassDef, chance: random.Random, names: list[str]) -> bool:
    way = chance.randrange(4)
    if way == 0 and len(node.bases) > 1:
        node.bases.reverse()
    elif way == 1 and node.bases:
        node.bases.pop(chance.randrange(len(node.bases)))
    elif way == 2 and node.keywords:
        node.keywords.pop(chance.randrange(len(node.keywords)))
    else:
        classes = [name for name in names if name[:1].isupper() and name != node.name]
        base: ast.expr = ast.Name(chance.choice([*classes, "list"]), ast.Load())
        node.bases[: chance.randint(0, 1)] = [base]
    return True


def _decorators(
    node: ast.FunctionDef | ast.ClassDef, chance: random.Random, names: list[str]
) -> bool:
    several = node.decorator_list
    if not several or "step" in ast.unparse(several[0]):
        return False
    way = chance.randrange(3)
    if way == 0:
        several.reverse()
    elif way == 1:
        several.append(chance.choice(several))
    if way == 2 or len(several) == 1:
        several.pop(chance.randrange(len(several)))
    return True


def _defaults(node: ast.arguments, chance: random.Random, _: list[str]) -> bool:
    if not node.defaults and not any(node.kw_defaults):
        return False
    way = chance.randrange(3)
    if way == 0 and node.defaults:
        node.defaults.pop(0)
    elif way == 1 and any(node.kw_defaults):
        at = chance.randrange(len(node.kw_defaults))
        node.kw_defaults[at] = ast.Constant(chance.randrange(9))
    elif node.defaults:
        at = chance.randrange(len(node.defaults))
        node.defaults[at] = ast.Tuple([node.defaults[at], ast.Constant(1)], ast.Load())
        node.defaults[at] = ast.Subscript(node.defaults[at], ast.Constant(1), ast.Load())
    return True


def _parameters(node: ast.arguments, chance: random.Random, _: list[str]) -> bool:
    if len(node.args) < 2:
        return False
    at = chance.randrange(len(node.args) - 1)
    node.args[at], node.args[at + 1] = node.args[at + 1], node.args[at]
    return True


def _arguments(node: ast.Call, chance: random.Random, names: list[str]) -> bool:
    way = chance.randrange(4)
    if way == 0 and len(node.args) > 1:
        node.args = chance.sample(node.args, len(node.args))
    elif way == 1 and len(node.args) > 1:
        node.args.pop()
    elif way == 2 and node.keywords:
        node.keywords.pop(chance.randrange(len(node.keywords)))
    elif node.args:
        at = chance.randrange(len(node.args))
        node.args[at] = ast.BinOp(node.args[at], ast.Add(), ast.Constant(1))
    return True


def _name(node: ast.Name, chance: random.Random, names: list[str]) -> bool:
    if not isinstance(node.ctx, ast.Load):
        return False
    node.id = chance.choice([each for each in names if each[:1] == node.id[:1]])
    return True


def _attribute(node: ast.Attribute, chance: random.Random, names: list[str]) -> bool:
    if not isinstance(node.ctx, ast.Load) or node.attr == "environ":
        return False
    node.attr = chance.choice([*names, "go", "x", "y", "size", "RATE", "a", "b", "k", "norm"])
    return True


def _statements(node: Any, chance: random.Random, _: list[str]) -> bool:
    """Remove a statement, or let two of them change places."""
    if not node.body:
        return False
    at = chance.randrange(len(node.body))
    if chance.random() < 0.5 and at + 1 < len(node.body):
        node.body[at], node.body[at + 1] = node.body[at + 1], node.body[at]
    else:
        node.body[at] = ast.Pass()
    return True


def _return(node: ast.Return, chance: random.Random, _: list[str]) -> bool:
    if node.value is not None:
        wrapped = ast.BinOp(node.value, chance.choice(_OPERATORS)(), ast.Constant(3))
        node.value = chance.choice([wrapped, ast.UnaryOp(ast.USub(), node.value)])
    return True


def _items(node: ast.List | ast.Tuple | ast.Set, chance: random.Random, _: list[str]) -> bool:
    if not node.elts or not all(isinstance(each, ast.expr) for each in node.elts):
        return False
    way = chance.randrange(3)
    if way == 0:
        node.elts = chance.sample(node.elts, len(node.elts))
    elif way == 1:
        node.elts.pop(chance.randrange(len(node.elts)))
    else:
        node.elts.append(chance.choice(node.elts))
    return True


def _entries(node: ast.Dict, chance: random.Random, _: list[str]) -> bool:
    if len(node.keys) < 2:
        return False
    if chance.random() < 0.5:
        node.values.reverse()
    else:
        node.keys.reverse()
        if chance.random() < 0.5:
            node.values.reverse()
    return True


def _renaming(
    node: ast.FunctionDef | ast.ClassDef, chance: random.Random, names: list[str]
) -> bool:
    node.name = chance.choice([*names, f"{node.name}_"])
    return True


def _wider_renaming(node: ast.Module, chance: random.Random, names: list[str]) -> bool:
    """Rename a function or class wherever the file mentions it."""
    defined = [n for n in node.body if isinstance(n, ast.FunctionDef | ast.ClassDef)]
    if not defined:
        return False
    old = chance.choice(defined).name
    for each in ast.walk(node):
        if isinstance(each, ast.Name) and each.id == old:
            each.id = f"{old}_new"
        elif isinstance(each, ast.FunctionDef | ast.ClassDef) and each.name == old:
            each.name = f"{old}_new"
    return True


def _loop(node: ast.comprehension | ast.For, chance: random.Random, _: list[str]) -> bool:
    if isinstance(node, ast.comprehension) and node.ifs and chance.random() < 0.5:
        node.ifs.pop()
    else:
        node.iter = ast.Call(
            ast.Name("reversed", ast.Load()),
            [ast.Call(ast.Name("list", ast.Load()), [node.iter], [])],
            [],
        )
    return True


_BODIES = (ast.Module, ast.FunctionDef, ast.ClassDef, ast.If, ast.For, ast.Try)

_MUTATIONS = cast(
    "dict[str, tuple[Any, Mutate]]",
    {
        "constant": (ast.Constant, _constant),
        "a constant more": (ast.Constant, _constant),
        "another constant more": (ast.Constant, _constant),
        "operator": ((ast.BinOp, ast.AugAssign), _operator),
        "an operator more": ((ast.BinOp, ast.AugAssign), _operator),
        "operands": (ast.BinOp, _swap),
        "comparison": (ast.Compare, _comparison),
        "logic": ((ast.BoolOp, ast.If, ast.IfExp), _logic),
        "import from": (ast.ImportFrom, _import),
        "import": (ast.Import, _plain_import),
        "bases": (ast.ClassDef, _bases),
        "decorators": ((ast.FunctionDef, ast.ClassDef), _decorators),
        "defaults": (ast.arguments, _defaults),
        "parameters": (ast.arguments, _parameters),
        "arguments": (ast.Call, _arguments),
        "name": (ast.Name, _name),
        "attribute": (ast.Attribute, _attribute),
        "statements": (_BODIES, _statements),
        "return": (ast.Return, _return),
        "a return more": (ast.Return, _return),
        "items": ((ast.List, ast.Tuple, ast.Set), _items),
        "entries": (ast.Dict, _entries),
        "definition": ((ast.FunctionDef, ast.ClassDef), _renaming),
        "names": (ast.Module, _wider_renaming),
        "loop": ((ast.comprehension, ast.For), _loop),
    },
)
