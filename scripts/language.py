"""Measures of the language of code and docs, held to bounds that only go down.

    python scripts/language.py                      print a table
    python scripts/language.py --json               print the same numbers as JSON
    python scripts/language.py --list participles   print each case and its line
    python scripts/language.py --check              exit with 1 if a bound is broken

For example, `found = rows[0]` binds a bare participle, `def get(key: Any)` annotates a parameter
with `Any`, and the docstring "What comes back." opens with a pronoun. Generated files
(`v1/*_pb2*`) are left out. CONTRIBUTING.md has the rules.
"""

import argparse
import ast
import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

CODE = {"library": ("lineage_store", "server"), "tests": ("tests",)}
"""The folders of each scope of code."""

DOCS = ("README.md", "docs/*.md", "docs/tutorials/*.md")

FUNCTION_LINES = 40
FILE_LINES = 400

PARTICIPLES = frozenset(
    """
    found known given told made taken kept seen asked wanted left gone said done sent begun ended
    drawn chosen meant held lost read_ written waiting missing going here what which
    """.split()  # noqa: SIM905 (a list would take thirty lines)
)
"""Names that say nothing of the value they are bound to."""

OPENINGS = frozenset(["What", "Whether", "How", "Which", "Where", "Who", "That"])

WORDS = {
    "what": frozenset(["what"]),
    "it": frozenset(["it", "its", "it's"]),
    "you": frozenset(["you", "your", "yours", "yourself", "you're", "you'll", "you've"]),
    "example": frozenset(["example", "examples"]),
}


@dataclass(frozen=True)
class Measure:
    """A measure: its title, and the number of cases that make up one unit of its value."""

    title: str
    per: int | None = None
    """100 for percent, 1,000 for a rate per 1,000 words, None for a plain count."""


MEASURES = {
    "long_functions": Measure(f"functions over {FUNCTION_LINES} lines"),
    "long_files": Measure(f"files over {FILE_LINES} lines"),
    "participles": Measure("names that are bare participles, %", 100),
    "any": Measure("parameters and results annotated with Any, %", 100),
    "openings": Measure("docstrings that open with What, Whether, How …, %", 100),
    "what": Measure("“what” per 1,000 words", 1000),
    "it": Measure("“it”, “its” per 1,000 words", 1000),
    "you": Measure("“you”, “your” per 1,000 words", 1000),
    "example": Measure("“example” per 1,000 words", 1000),
}


@dataclass(frozen=True)
class Bound:
    """A bound on the value of a measure, and the value that we aim at."""

    limit: float
    goal: float | None = None
    at_least: bool = False

    def holds(self, value: float) -> bool:
        """Return True if a value, rounded to the two digits that are printed, keeps to it."""
        rounded = round(value, 2)
        return rounded >= self.limit if self.at_least else rounded <= self.limit


# When a change improves a value, move the limit along: down, or up where it says `at_least`.
BOUNDS = {
    ("library", "long_functions"): Bound(8),
    ("library", "long_files"): Bound(0, goal=0),
    ("library", "participles"): Bound(0.3, goal=1),
    ("library", "any"): Bound(4.4, goal=5),
    ("library", "openings"): Bound(0.1, goal=0.5),
    ("library", "what"): Bound(1.9, goal=3),
    ("library", "it"): Bound(30.8),
    ("tests", "long_functions"): Bound(0, goal=0),
    ("tests", "long_files"): Bound(0, goal=0),
    ("tests", "participles"): Bound(0.25, goal=1),
    ("tests", "any"): Bound(4.85, goal=5),
    ("tests", "openings"): Bound(0.25, goal=0.5),
    ("tests", "what"): Bound(1.6, goal=3),
    ("tests", "it"): Bound(28.3),
    ("docs", "what"): Bound(0.5, goal=3),
    ("docs", "it"): Bound(12.5),
    ("docs", "you"): Bound(6.8, at_least=True),
    ("docs", "example"): Bound(0.95, at_least=True),
}


@dataclass(frozen=True, order=True)
class Case:
    """One case of a measure, such as a long function."""

    path: str
    line: int
    text: str


@dataclass
class Tally:
    """The cases of a measure among all that could be one."""

    total: int = 0
    cases: list[Case] = field(default_factory=list)

    def value(self, per: int | None) -> float:
        """Return the count, or the rate of cases in `per` of the total."""
        if per is None:
            return len(self.cases)
        return per * len(self.cases) / self.total if self.total else 0.0


Tallies = dict[str, Tally]


def measure_code(sources: Iterator[tuple[str, str]]) -> Tallies:
    """Return the tallies of Python files, each given as its path and its text."""
    tallies = {name: Tally() for name in MEASURES if name not in ("you", "example")}
    for path, text in sources:
        lines = text.count("\n")
        add(tallies["long_files"], lines > FILE_LINES, Case(path, 1, f"{lines} lines"))
        for node in ast.walk(ast.parse(text, path)):
            measure_lengths(tallies, path, node)
            measure_names(tallies, path, node)
            measure_annotations(tallies, path, node)
            measure_docstrings(tallies, path, node)
    return tallies


def measure_docs(sources: Iterator[tuple[str, str]]) -> Tallies:
    """Return the tallies of Markdown pages, each given as its path and its text."""
    tallies = {name: Tally() for name in WORDS}
    for path, text in sources:
        count_words(tallies, path, 1, prose(text))
    return tallies


def add(tally: Tally, counts: bool, case: Case) -> None:
    """Add to the total of a tally, and to its cases if this one counts."""
    tally.total += 1
    if counts:
        tally.cases.append(case)


def measure_lengths(tallies: Tallies, path: str, node: ast.AST) -> None:
    """Tally a function by the lines from `def` to its end."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        lines = (node.end_lineno or node.lineno) - node.lineno + 1
        case = Case(path, node.lineno, f"{node.name}: {lines} lines")
        add(tallies["long_functions"], lines > FUNCTION_LINES, case)


def measure_names(tallies: Tallies, path: str, node: ast.AST) -> None:
    """Tally the name that a node binds. A leading underscore makes no difference."""
    name = bound_name(node)
    if name is not None:
        case = Case(path, getattr(node, "lineno", 0), name)
        add(tallies["participles"], name.lstrip("_") in PARTICIPLES, case)


def bound_name(node: ast.AST) -> str | None:
    """Return the variable, parameter, attribute or function that a node binds, or None."""
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.arg(arg=name):
            return name
        case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
            return name
        case ast.ExceptHandler(name=name) | ast.MatchAs(name=name) | ast.MatchStar(name=name):
            return name
        case ast.MatchMapping(rest=name):
            return name
    return None


def measure_annotations(tallies: Tallies, path: str, node: ast.AST) -> None:
    """Tally the annotations of a function, but those of `**kwargs`."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        arguments = node.args
        parameters = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        annotations = [parameter.annotation for parameter in parameters]
        annotations += [arguments.vararg.annotation if arguments.vararg else None, node.returns]
        for annotation in annotations:
            if annotation is not None:
                text = ast.unparse(annotation)
                case = Case(path, annotation.lineno, f"{node.name}: {text}")
                add(tallies["any"], re.search(r"\bAny\b", text) is not None, case)


def measure_docstrings(tallies: Tallies, path: str, node: ast.AST) -> None:
    """Tally the first word and all words of a docstring."""
    documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    docstring = ast.get_docstring(node) if isinstance(node, documented) else None
    if docstring:
        line = getattr(node, "lineno", 1)
        opening = docstring.split(maxsplit=1)[0].strip(",.:;")
        add(tallies["openings"], opening in OPENINGS, Case(path, line, docstring.splitlines()[0]))
        count_words(tallies, path, line, prose(docstring))


def prose(text: str) -> str:
    """Return a text with blanks for its code, so that each word stays on its line."""
    lines = []
    fence = ""
    for line in text.splitlines():
        marker = re.match(r"\s*(`{3,}|~{3,})", line)
        if marker and (not fence or marker[1].startswith(fence)):
            fence = "" if fence else marker[1]
        is_code = fence or marker or re.match(r"\s*(>>>|\.\.\.) ", line)
        lines.append("" if is_code else re.sub(r"(`+)[^`]+\1", " ", line))
    return "\n".join(lines)


def count_words(tallies: Tallies, path: str, line: int, text: str) -> None:
    """Tally the words of a text that starts at a line."""
    for offset, content in enumerate(text.splitlines()):
        words = re.findall(r"[a-z]+(?:['’-][a-z]+)*", content.lower())  # noqa: RUF001
        for name in WORDS.keys() & tallies.keys():
            tallies[name].total += len(words)
            case = Case(path, line + offset, content.strip())
            tallies[name].cases += [case] * sum(word in WORDS[name] for word in words)


def python_sources(root: Path, folders: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the path and the text of each Python file that a person wrote."""
    for folder in folders:
        for path in sorted((root / folder).rglob("*.py")):
            if "_pb2" not in path.name:
                yield str(path.relative_to(root)), path.read_text("utf-8")


def pages(root: Path) -> Iterator[tuple[str, str]]:
    """Yield the path and the text of each page of the docs."""
    for pattern in DOCS:
        for path in sorted(root.glob(pattern)):
            yield str(path.relative_to(root)), path.read_text("utf-8")


def measure(root: Path) -> dict[str, Tallies]:
    """Return the tallies of the library, the tests and the docs."""
    scopes = {scope: measure_code(python_sources(root, CODE[scope])) for scope in CODE}
    return {**scopes, "docs": measure_docs(pages(root))}


def values(scopes: dict[str, Tallies]) -> dict[str, dict[str, dict[str, float]]]:
    """Return the value, the count of cases and the total of each measure, by scope."""
    return {
        scope: {
            name: {
                "value": round(tally.value(MEASURES[name].per), 2),
                "cases": len(tally.cases),
                "of": tally.total,
            }
            for name, tally in tallies.items()
        }
        for scope, tallies in scopes.items()
    }


def table(scopes: dict[str, Tallies]) -> str:
    """Return a line for each measure of each scope, with its bound and its goal."""
    lines = [f"{'':50}{'value':>8}{'cases':>8}{'of':>9}{'bound':>8}{'goal':>7}"]
    for scope, measures in values(scopes).items():
        lines.append(f"{scope}")
        for name, row in measures.items():
            bound = BOUNDS.get((scope, name))
            line = f"  {MEASURES[name].title:48}{row['value']:8g}{row['cases']:8}{row['of']:9}"
            if bound is not None:
                line += f"{bound.limit:8g}"
                line += "" if bound.goal is None else f"{bound.goal:7g}"
            lines.append(line)
    return "\n".join(lines)


def broken_bounds(scopes: dict[str, Tallies]) -> list[str]:
    """Return a sentence for each bound that a value is beyond."""
    sentences = []
    for (scope, name), bound in BOUNDS.items():
        value = scopes[scope][name].value(MEASURES[name].per)
        if not bound.holds(value):
            side = "below" if bound.at_least else "above"
            title = MEASURES[name].title
            sentences.append(f"{scope}, {title}: {value:.2f} is {side} {bound.limit:g}")
    return sentences


def arguments() -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON")
    parser.add_argument("--check", action="store_true", help="exit with 1 if a bound is broken")
    parser.add_argument(
        "--list",
        choices=MEASURES,
        nargs="?",
        const="long_functions",
        help="print the cases of a measure; without a name, the long functions",
    )
    return parser.parse_args()


def main() -> int:
    """Print what was asked for, and return the exit code."""
    options = arguments()
    scopes = measure(ROOT)
    if options.list:
        for scope, tallies in scopes.items():
            for case in sorted(tallies[options.list].cases if options.list in tallies else ()):
                print(f"{scope}: {case.path}:{case.line}: {case.text}")
    elif options.json:
        print(json.dumps(values(scopes), indent=2))
    else:
        print(table(scopes))
    sentences = broken_bounds(scopes) if options.check else []
    for sentence in sentences:
        print(sentence, file=sys.stderr)
    return 1 if sentences else 0


if __name__ == "__main__":
    sys.exit(main())
