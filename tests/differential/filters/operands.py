"""Random operands of filters: references, literals, arithmetic, functions, CASE and CAST."""

import random

from tests.differential.filters import literals
from tests.differential.filters.names import (
    ATTRIBUTES,
    BOOL,
    DOUBLE,
    ENUMS,
    INT,
    NEIGHBOURS,
    STRING,
    VALUES,
)
from tests.differential.filters.population import CUSTOM, DECLARED
from tests.differential.filters.spelling import column, keyword, spaced

# Few properties and aliases: only what is named twice can be found to be one neighbour.
_ALIASES = ("a", "a", "a", "b", "b", "1", "x_y")
_VALUE_FIELDS = {kind: field for field, kind in VALUES.items()}


class Operands:
    """Writes operands of one filter.

    Attributes:
        chance: Where the choices come from.
        kind: The kind of node that the filter is about.
        used: The constructs that were written.
    """

    def __init__(self, chance: random.Random, kind: str, sizes: dict[str, int]) -> None:
        self.chance = chance
        self.kind = kind
        self.used: set[str] = set()
        self._sizes = sizes

    def often(self, share: float) -> bool:
        """Return True in that share of the cases."""
        return self.chance.random() < share

    def operand(self, kind: str, depth: int) -> str:
        """Return an operand of a type; in a few cases, of another one."""
        if self.often(0.004):
            self.used.add("wrong type")
            kind = self.chance.choice((INT, STRING, BOOL))
        if kind == BOOL:
            return self.truth(depth)
        return self.text(depth) if kind == STRING else self.number(depth)

    def reference(self, *kinds: str) -> str | None:
        """Return something of the node, of a neighbour or of a property, or None."""
        where = self.chance.random()
        if where < 0.5 and BOOL not in kinds:
            return self._own(kinds)
        if where < 0.7 and BOOL not in kinds:
            return self._of_neighbour(kinds)
        return self._of_property(kinds)

    def _own(self, kinds: tuple[str, ...]) -> str | None:
        names = [name for name, kind in ATTRIBUTES[self.kind].items() if kind in kinds]
        if not names:
            return None
        name = self.chance.choice(names)
        self.used.add(f"attribute {name}")
        return name if name in ENUMS else column(self.chance, name)

    def _of_neighbour(self, kinds: tuple[str, ...]) -> str | None:
        neighbour = self.chance.choice(list(NEIGHBOURS[self.kind]))
        attributes = NEIGHBOURS[self.kind][neighbour]
        names = [name for name, kind in attributes.items() if kind in kinds]
        if not names:
            return None
        name = self.chance.choice(names)
        self.used.add(f"{neighbour}.{name}")
        return f"{self.alias(neighbour)}.{name if name in ENUMS else column(self.chance, name)}"

    def alias(self, neighbour: str) -> str:
        """Return a name for a neighbour."""
        return f"{neighbour}_{self.chance.choice(_ALIASES)}"

    def _of_property(self, kinds: tuple[str, ...]) -> str:
        field = _VALUE_FIELDS[self.chance.choice(kinds)]
        declared = [name for name in DECLARED if DECLARED[name] == self._property_type(field)]
        if self.often(0.5):
            prefix, names = "properties", declared if self.often(0.85) else list(DECLARED)
        else:
            prefix, names = "custom_properties", CUSTOM[:-1]
        name = self.chance.choice(names)
        if name == "Mixed" and self.often(0.8):
            name = "count"
        self.used |= {prefix, field}
        if not name.isascii() or not name.replace("_", "").isalnum() or self.often(0.1):
            self.used.add("quoted property")
            name = f"`{name}`"
        return f"{prefix}.{name}.{field}"

    @staticmethod
    def _property_type(field: str) -> int:
        places = {"int_value": "count", "double_value": "score", "bool_value": "flag"}
        return DECLARED[places.get(field, "label")]

    def number(self, depth: int) -> str:
        """Return an operand that is a number."""
        choice = self.chance.random()
        if depth > 0 and choice < 0.3:
            return self._compound_number(depth - 1)
        if choice < 0.65:
            reference = self.reference(INT) if self.often(0.75) else self.reference(DOUBLE)
            if reference is not None:
                return reference
        return self.number_literal()

    def number_literal(self) -> str:
        """Return a literal number."""
        if self.often(0.15):
            self.used.add("double literal")
            return literals.a_double(self.chance)
        if self.often(0.5):
            return str(self.chance.randint(1, self._sizes[self.kind]))
        return literals.an_integer(self.chance)

    def _compound_number(self, depth: int) -> str:
        form = self.chance.randrange(8)
        if form < 3:
            return self._arithmetic(depth)
        if form == 3:
            self.used.add("unary minus")
            sign = self.chance.choice(("-", "- ", "+"))
            return f"{sign}{self._parenthesised(self.number(depth))}"
        if form == 4:
            return f"({self.number(depth)})"
        if form == 5:
            return self._case(INT, depth)
        if form == 6:
            return self._cast(depth)
        return self._numeric_function(depth)

    def _parenthesised(self, text: str) -> str:
        """Return an operand that a sign or another operator may stand before."""
        simple = text.replace("_", "").replace(".", "").isalnum()
        return text if simple and self.often(0.8) else f"({text})"

    def _arithmetic(self, depth: int) -> str:
        operator = self.chance.choice("+-*/")
        self.used.add(f"operator {operator}")
        left, right = self.number(depth), self.number(depth)
        return spaced(self.chance, left, operator, right)

    def _numeric_function(self, depth: int) -> str:
        name = self.chance.choice(("ABS", "ROUND", "ROUND", "LENGTH", "COALESCE", "IFNULL"))
        self.used.add(name)
        if name == "LENGTH":
            arguments = [self.text(depth)]
        elif name in ("COALESCE", "IFNULL"):
            arguments = [self.number(depth), self.number_literal()]
        else:
            arguments = [self.number(depth)]
            if name == "ROUND" and self.often(0.4):
                arguments.append(str(self.chance.randint(-1, 3)))
        return self._call(name, arguments)

    def _call(self, name: str, arguments: list[str]) -> str:
        return f"{keyword(self.chance, name)}({', '.join(arguments)})"

    def _case(self, kind: str, depth: int) -> str:
        self.used.add("CASE")
        words = [keyword(self.chance, "CASE")]
        operand = self.chance.choice((None, None, INT, STRING))
        if operand is not None:
            words.append(self.operand(operand, 0))
        for _ in range(self.chance.randint(1, 2)):
            when = self.truth(depth) if operand is None else self.operand(operand, 0)
            result = "NULL" if self.often(0.05) else self.operand(kind, depth)
            words += [keyword(self.chance, "WHEN"), when, keyword(self.chance, "THEN"), result]
        if self.often(0.6):
            words += [keyword(self.chance, "ELSE"), self.operand(kind, depth)]
        return spaced(self.chance, *words, keyword(self.chance, "END"))

    def _cast(self, depth: int) -> str:
        self.used.add("CAST")
        operand = self.reference(INT, DOUBLE) if self.often(0.7) else self.number(depth)
        kind = self.chance.choice(("INT64", "FLOAT64", "FLOAT64", "DOUBLE"))
        return f"{keyword(self.chance, 'CAST')}({operand or 'id'} AS {keyword(self.chance, kind)})"

    def text(self, depth: int) -> str:
        """Return an operand that is a string."""
        choice = self.chance.random()
        if depth > 0 and choice < 0.25:
            return self._compound_text(depth - 1)
        reference = self.reference(STRING) if choice < 0.7 else None
        return literals.a_text(self.chance) if reference is None else reference

    def _compound_text(self, depth: int) -> str:
        name = self.chance.choice(
            ("LOWER", "UPPER", "SUBSTR", "TRIM", "REPLACE", "COALESCE", "IFNULL", "NULLIF", "CASE")
        )
        self.used.add(name)
        if name == "CASE":
            return self._case(STRING, depth)
        arguments = [self.text(depth)]
        if name == "SUBSTR":
            bounds = (-3, -1, 0, 1, 1, 2, 3)
            arguments += [str(self.chance.choice(bounds)) for _ in range(self.chance.randint(1, 2))]
        elif name == "REPLACE":
            arguments += [literals.a_text(self.chance), literals.a_text(self.chance)]
        elif name in ("COALESCE", "IFNULL", "NULLIF") or (name == "TRIM" and self.often(0.3)):
            arguments.append(literals.a_text(self.chance))
        return self._call(name, arguments)

    def truth(self, depth: int) -> str:
        """Return an operand that is a truth value."""
        choice = self.chance.random()
        if choice < 0.6:
            return self.reference(BOOL) or "TRUE"
        if choice < 0.75 or depth <= 0:
            return keyword(self.chance, self.chance.choice(("TRUE", "FALSE")))
        return self._case(BOOL, depth - 1) if choice < 0.85 else f"({self.condition(depth - 1)})"

    def condition(self, depth: int) -> str:
        """Return a condition."""
        raise NotImplementedError
