"""Rewrites of a package that leave what its steps do as it is."""

import ast
import random
import re
from collections.abc import Iterator

from tests.truth.mutations import Files


def rewrite(files: Files, chance: random.Random) -> Iterator[tuple[str, Files]]:
    """Yield what was rewritten, and the files."""
    yield "another directory", dict(files)
    yield "comments", {path: _commented(text, chance) for path, text in files.items()}
    yield "another layout", {path: ast.unparse(ast.parse(text)) for path, text in files.items()}
    for path in files:
        yield f"order of functions in {path}", {**files, path: _reordered(files[path], chance)}
        yield f"order of imports in {path}", {**files, path: _imports_reordered(files[path])}
        if "def spare" in files[path]:
            yield f"what is not used in {path}", {**files, path: _spare_changed(files[path])}
            yield f"an unused docstring in {path}", {**files, path: _told(files[path])}
            yield f"something unused more in {path}", {**files, path: files[path] + _UNUSED}


_UNUSED = "\nMORE = [1]\ndef more(x):\n    return MORE, x\nclass More(dict):\n    pass\n"


def _commented(text: str, chance: random.Random) -> str:
    """Put comments and blank lines before statements of the module."""
    lines = []
    for line in text.splitlines():
        if re.match(r"(def|class|import|from|\w+ = )", line) and not lines_end_open(lines):
            lines.append(f"# {chance.random()}\n\n\n")
        lines.append(line)
    return "\n".join(lines) + "  # the end\n"


def lines_end_open(lines: list[str]) -> bool:
    """Return whether a decorator waits for what it decorates."""
    return bool(lines) and lines[-1].startswith("@")


def _is_plain(node: ast.stmt) -> bool:
    """Return whether it makes no difference where in a module a statement stands."""
    if not isinstance(node, ast.FunctionDef) or node.decorator_list:
        return False
    defaults = [*node.args.defaults, *node.args.kw_defaults]
    return all(each is None or isinstance(each, ast.Constant) for each in defaults)


def _reordered(text: str, chance: random.Random) -> str:
    """Shuffle functions that stand next to each other."""
    tree = ast.parse(text)
    body: list[ast.stmt] = []
    group: list[ast.stmt] = []
    for node in [*tree.body, ast.Pass()]:
        if _is_plain(node):
            group.append(node)
            continue
        body += [*chance.sample(group, len(group)), node]
        group = []
    tree.body = body
    return ast.unparse(tree)


def _imports_reordered(text: str) -> str:
    """Reverse the imports, if none takes names of another's."""
    tree = ast.parse(text)
    are_imports = [isinstance(node, ast.Import | ast.ImportFrom) for node in tree.body]
    count = are_imports.index(False) if False in are_imports else len(are_imports)
    if "import *" not in text:
        tree.body[:count] = reversed(tree.body[:count])
    return ast.unparse(tree)


def _spare_changed(text: str) -> str:
    text = re.sub(r"SPARE = \d", "SPARE = [77]", text)
    return re.sub(r"(def spare.*\n.*\n    return) .*", r"\1 SPARE[0] * x", text)


def _told(text: str) -> str:
    return re.sub(r'(def spare.*\n    """).*', r'\1Return what nobody asks for."""', text)
