"""Random small packages: a `main.py` with some steps, and modules that use each other.

A package is made of units, as they stand in `units/*.txt`: `== NAME` begins one, then comes its
text, and each line `-- EXPRESSION` is a way to use it. In both, `$n` is the number of the unit,
`$i` a small number, `$s` a word, `$x` an argument, `$c` a class of the package and `$u` a use of
some other unit; `@` stands before names that another module has to import.
"""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

PLACE = Path(__file__).parent / "units"
LIBRARIES = "".join(
    f"import {name}\n"
    for name in ("abc", "contextlib", "dataclasses", "enum", "functools", "operator", "typing")
)
CLASS = "class: "
WORDS = ("a", "ab", "cab", "date", "epsilon", "zeta")
COMMON = "def norm(x): return x * $i + $i\nRATE = $i\n"
"""What each module has under the same name."""
SPARE = 'SPARE = $i\ndef spare(x):\n    """Return $s."""\n    return x + $i\n'
"""What nobody uses."""


@dataclass(frozen=True)
class Template:
    """A unit as it stands in the file."""

    is_class: bool
    text: str
    uses: tuple[str, ...]


@dataclass
class Unit:
    """A unit of a package: the module that it lies in, and how it is used from there."""

    module: int
    uses: tuple[str, ...]
    class_name: str | None = None
    is_used: bool = False


@dataclass
class Module:
    """A module that is being written."""

    name: str
    imports: list[str] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    names: dict[tuple[int, str], str] = field(default_factory=dict)

    def text(self) -> str:
        """Return what stands in its file."""
        return LIBRARIES + "".join(f"{line}\n" for line in self.imports) + "\n".join(self.bodies)


def templates() -> list[Template]:
    """Return the units of all files."""
    text = "".join(path.read_text() for path in sorted(PLACE.glob("*.txt")))
    return [_template(each) for each in re.split(r"^== ", text, flags=re.MULTILINE)[1:]]


def _template(text: str) -> Template:
    title, *lines = text.splitlines()
    body = "".join(f"{line}\n" for line in lines if not line.startswith("-- "))
    uses = tuple(line[3:] for line in lines if line.startswith("-- "))
    return Template(title.startswith(CLASS), body, uses)


class Package:
    """Writes a random package.

    Args:
        seed: Equal ones make equal packages.
        is_lazy: Some of its functions import modules, whose whole text counts then.
    """

    def __init__(self, seed: int, *, is_lazy: bool = True) -> None:
        self._random = random.Random(seed)
        self._is_lazy = is_lazy
        self._units: list[Unit] = []
        self._number = 0
        count = self._random.randint(2, 4)
        self._modules = [Module(f"m{at}") for at in range(count)]
        self._main = Module("main")

    def files(self) -> dict[str, str]:
        """Return the texts of its files by their paths."""
        every = templates()
        for at, module in enumerate(self._modules):
            module.bodies += [self._filled(COMMON, at), self._filled(SPARE, at)]
            for template in self._chosen(every):
                self._add(template, at)
            if self._is_lazy and at and self._random.random() < 0.5:
                self._add_lazy(at)
        self._write_main()
        texts = {f"pkg/{module.name}.py": module.text() for module in self._modules}
        return {"main.py": self._main.text(), "pkg/__init__.py": self._init(), **texts}

    def _chosen(self, every: list[Template]) -> list[Template]:
        chosen = self._random.sample(every, self._random.randint(3, 6))
        return [*chosen, self._random.choice([each for each in every if each.is_class])]

    def _add(self, template: Template, at: int) -> None:
        if "$c" in template.text and not self._classes(at):
            template = next(each for each in templates() if each.is_class)
        self._number += 1
        number = str(self._number)
        body = self._filled(template.text.replace("$n", number), at)
        uses = tuple(use.replace("$n", number) for use in template.uses)
        self._modules[at].bodies.append(body)
        self._units.append(Unit(at, uses, f"C{number}" if template.is_class else None))

    def _add_lazy(self, at: int) -> None:
        """Add a function that imports when it runs."""
        self._number += 1
        name, below = f"lazy{self._number}", f"m{self._random.randrange(at)}"
        body, result = self._random.choice(
            [
                (f"from pkg.{below} import norm, RATE", "norm(x) + RATE"),
                (f"from .{below} import norm as n", "n(x)"),
                (f"from . import {below} as module", "module.norm(x)"),
                (f"import pkg.{below}", f"pkg.{below}.norm(x) - pkg.{below}.RATE"),
            ]
        )
        self._modules[at].bodies.append(f"def {name}(x):\n    {body}\n    return {result}\n")
        self._units.append(Unit(at, (f"@{name}($x)",)))

    def _classes(self, at: int) -> list[Unit]:
        return [unit for unit in self._units if unit.class_name and unit.module <= at]

    def _filled(self, text: str, at: int) -> str:
        def fill(match: re.Match[str]) -> str:
            if match[0] == "$c":
                unit = self._random.choice(self._classes(at))
                return self._imported(f"@{unit.class_name}", unit.module, at)
            if match[0] == "$u":
                return self._use(self._random.choice(self._units), at) if self._units else "x"
            return self._atom(match[0])

        return re.sub(r"\$[cuisx]", fill, text)

    def _atom(self, placeholder: str) -> str:
        if placeholder == "$s":
            return self._random.choice(WORDS)
        return "x" if placeholder == "$x" else str(self._random.randint(1, 9))

    def _use(self, unit: Unit, at: int) -> str:
        """Return a number that depends on a unit."""
        unit.is_used = True
        use = re.sub(r"\$[isx]", self._some_atom, self._random.choice(unit.uses))
        return f"sum(repr({self._imported(use, unit.module, at)}).encode())"

    def _uses_of(self, unit: Unit) -> list[str]:
        """Return all that a unit is made for, as `main.py` has it."""
        uses = [re.sub(r"\$[isx]", self._some_atom, use) for use in unit.uses]
        return [self._imported(use, unit.module, MAIN_AT) for use in uses]

    def _some_atom(self, match: re.Match[str]) -> str:
        return self._atom(match[0])

    def _imported(self, text: str, source: int, at: int) -> str:
        """Return a text with the names that another module has as this one calls them."""
        return re.sub(r"@(\w+)", lambda match: self._name(match[1], source, at), text)

    def _name(self, name: str, source: int, at: int) -> str:
        if source == at:
            return name
        module = self._main if at == MAIN_AT else self._modules[at]
        known = module.names.get((source, name))
        if known is None:
            known = module.names[source, name] = self._import(module, name, source)
        return known

    def _import(self, module: Module, name: str, source: int) -> str:
        dot = "pkg" if module is self._main else ""
        below = f"m{source}"
        line, known = self._random.choice(
            [
                (f"from pkg.{below} import {name}", name),
                (f"from {dot}.{below} import {name} as {name}_", f"{name}_"),
                (f"from {dot}.{below} import *", name),
                (f"from {dot or '.'} import {below}", f"{below}.{name}"),
                (f"from {dot or '.'} import {below} as a{source}", f"a{source}.{name}"),
                (f"import pkg.{below}", f"pkg.{below}.{name}"),
                (f"import pkg.{below} as b{source}", f"b{source}.{name}"),
                (f"from pkg import {name}", name),
            ][: 8 if module is self._main else 7]
        )
        if line not in module.imports:
            module.imports.append(line)
        return known

    def _init(self) -> str:
        """Return a `__init__.py` that passes on what `main.py` imports from the package."""
        lines = []
        for (source, name), known in self._main.names.items():
            if known == name and f"from pkg import {name}" in self._main.imports:
                lines.append(f"from .m{source} import {name}\n")
        return "".join(lines)

    def _write_main(self) -> None:
        main = self._main
        main.imports.append("import os\nfrom lineage_store.recording import step")
        steps = [f"step{at}" for at in range(self._random.randint(1, 3))]
        terms: dict[str, list[str]] = {name: [] for name in steps}
        for unit in reversed(self._units):
            if not unit.is_used or self._random.random() < 0.2:
                terms[self._random.choice(steps)] += self._uses_of(unit)
        for name in steps:
            source = self._random.randrange(len(self._modules))
            terms[name].append(self._imported("@norm(x)", source, MAIN_AT))
        main.bodies += [_step(name, terms[name]) for name in steps]
        calls = ", ".join(f"({name}, {self._call()})" for name in steps)
        main.bodies.append(f"CALLS = [{calls}]\n{MAIN}")

    def _call(self) -> str:
        number, word = self._atom("$i"), self._atom("$s")
        return self._random.choice(
            [
                f"({number},), {{}}",
                f"({number},), {{'how': '{word}'}}",
                f"({number}, ({number}, '{word}')), {{}}",
                f"(), {{'x': {number}, 'how': {{'{word}': [{number}, 2.5]}}}}",
                f"({number},), {{'how': [RATE, RATE]}}",
            ]
        )


MAIN_AT = 1_000
MAIN = "def main(): return [call(*args, **named) for call, args, named in CALLS]\n"


def _step(name: str, terms: list[str]) -> str:
    listed = "".join(f"        {term},\n" for term in terms)
    return (
        f'RATE = 3\n@step(cache=True, save=os.environ["SAVED"])\n'
        f"def {name}(x, how=None):\n    return [\n        str(how),\n{listed}    ]\n"
    )


def packages(seed: int, *, is_lazy: bool = True) -> Iterator[dict[str, str]]:
    """Yield the files of random packages without end."""
    while True:
        yield Package(seed, is_lazy=is_lazy).files()
        seed += 1
