"""Random filters: the conditions, and the whole."""

from tests.differential.filters import literals
from tests.differential.filters.names import (
    BOOL,
    DOUBLE,
    ENUMS,
    INT,
    NEIGHBOURS,
    NEW_NAMES,
    STRING,
    TIMES,
)
from tests.differential.filters.operands import Operands
from tests.differential.filters.shrinking import WORDS
from tests.differential.filters.spelling import keyword, spaced

# What ML Metadata takes from GoogleSQL without meaning to, and what it lacks.
ODDITIES = (
    *(
        "MOD(id, 2) = 1",
        "CHAR_LENGTH(name) = 3",
        "CONCAT(name, 'x') = 'onex'",
        "IF(id = 1, TRUE, FALSE)",
    ),
    *(
        "name || 'x' = 'onex'",
        "STARTS_WITH(name, 'o')",
        "GREATEST(id, 2) = 2",
        "id IN UNNEST([1, 2])",
    ),
    *(
        "EXISTS(SELECT 1)",
        "id IN (SELECT 1)",
        "(id, name) IN ((1, 'one'))",
        "id & 1 = 1",
        "~id < -3",
    ),
    *("(name = 'one') IS UNKNOWN", "SIGN(id) = 1", "FORMAT('%d', id) = '1'", "RTRIM(name) = 'one'"),
    *("SAFE_CAST(id AS STRING) = '1'", "id IS DISTINCT FROM 1", "COUNT(*) = 1", "name LIKE NULL"),
    *("SUBSTRING(name, 1) = 'one'", "id = 1.5e400", "1 < 2 < 3", "id = @x", "id == 1", "id = NULL"),
    *("NULL", "id", "'x'", "1 = 1;", "id = 1 AND", "NOT NOT id = 1", "nothing = 1", "id % 2 = 1"),
    *("properties.count = 1", "properties.count.proto_value = 1", "Properties.count.int_value = 1"),
    *("contexts_a IS NULL", "contexts_.id = 1", "artifact.id = 1", "COALESCE(name) = 'one'"),
    *("id IN ()", "name IN (1)", "id IN ('1')", "id LIKE '1'", "name = b'one'", "name = 'o' 'ne'"),
    *("id IN (1, NULL)", "id NOT IN (1, NULL)", "id BETWEEN 1 AND NULL", "NULL IS NULL"),
    *("contexts_a.id > 0 AND contexts_A.id > 0", "name = '\\q'", "name = 'a", "id = 1 /* x"),
    *("type_id.x = 1", "`id`= 1", "id = 01", "id = 1.", "id > .5", "id = 18446744073709551616"),
    *("1 / 0 IS NULL", "id = 9223372036854775808", "9223372036854775807 + id > 0", "select = 1"),
    *(
        "CAST(id AS STRING) = '1'",
        "CAST(id AS INT) = 1",
        "CAST(1.5 AS INT64) = 2",
        "CAST(id AS BOOL)",
    ),
    *("CAST(name AS INT64) = 0", "CAST('x' AS INT64) = 0", "(id = 1) = TRUE", "TRUE > FALSE"),
)
_MUTANTS = (
    "(",
    ")",
    ",",
    "NOT",
    "AND",
    "=",
    "IN",
    "1",
    "'x'",
    "NULL",
    "name",
    "-",
    "IS",
    "TRUE",
    ";",
)


class Writer(Operands):
    """Writes one random filter."""

    def filter(self) -> str:
        """Return a filter, most often a valid one."""
        if self.often(0.08):
            self.used.add("oddity")
            text = self.chance.choice(ODDITIES)
            return text if self.often(0.7) else f"({text}) OR {self.condition(0)}"
        text = self.combination(self.chance.choice((0, 1, 1, 2, 2, 3)))
        return self._mutated(text) if self.often(0.06) else text

    def _mutated(self, text: str) -> str:
        self.used.add("mutated")
        words = WORDS.findall(text)
        place = self.chance.randrange(len(words))
        form = self.chance.randrange(3)
        if form == 0:
            del words[place]
        elif form == 1:
            words.insert(place, f" {self.chance.choice(_MUTANTS)} ")
        else:
            words[place] = self.chance.choice(_MUTANTS)
        return "".join(words)

    def combination(self, depth: int) -> str:
        """Return conditions under AND, OR and NOT, with as few parentheses as chance has it."""
        if depth <= 0:
            return self.condition(1)
        form = self.chance.randrange(7)
        if form < 5:
            word = "AND" if form < 2 else "OR"
            self.used.add(word)
            parts = [self.combination(depth - 1) for _ in range(self.chance.choice((2, 2, 3)))]
            text = parts[0]
            for part in parts[1:]:
                text = spaced(self.chance, text, keyword(self.chance, word), part)
            return text
        if form == 5:
            self.used.add("NOT")
            return spaced(self.chance, keyword(self.chance, "NOT"), self.combination(depth - 1))
        return f"({self.combination(depth - 1)})"

    def condition(self, depth: int) -> str:
        """Return a condition without AND, OR and NOT."""
        forms = (
            *(self._comparison,) * 6,
            *(self._membership, self._between, self._like, self._is_null) * 2,
            *(self._enumeration,) * 4,
            *(self._is_truth, self._bare, self._time),
        )
        return self.chance.choice(forms)(depth)

    def _kind(self) -> str:
        return self.chance.choice((INT, INT, DOUBLE, STRING, STRING, STRING, BOOL))

    def _comparison(self, depth: int) -> str:
        kind = self._kind()
        operator = self.chance.choice(("=", "=", "=", "!=", "<>", "<", "<=", ">", ">="))
        self.used.add(operator)
        left_side, right = self._left_operand(kind, depth), self.operand(kind, depth)
        if self.often(0.1):
            return f"{left_side}{operator}{right}"
        return spaced(self.chance, left_side, operator, right)

    def _left_operand(self, kind: str, depth: int) -> str:
        """Return an operand that is seldom a constant."""
        reference = self.reference(kind) if self.often(0.6) else None
        return self.operand(kind, depth) if reference is None else reference

    def _negated(self, word: str) -> list[str]:
        self.used.add(word)
        if not self.often(0.35):
            return [keyword(self.chance, word)]
        self.used.add(f"NOT {word}")
        return [keyword(self.chance, "NOT"), keyword(self.chance, word)]

    def _membership(self, depth: int) -> str:
        kind = self.chance.choice((INT, INT, STRING, STRING, DOUBLE))
        makers = {INT: self.number_literal, STRING: lambda: literals.a_text(self.chance)}
        maker = makers.get(kind, self.number_literal)
        items = [maker() for _ in range(self.chance.randint(1, 5))]
        if self.often(0.06):
            items.append("NULL")
        if self.often(0.1):
            items.append(self.operand(kind, 0))
        self.chance.shuffle(items)
        words = self._negated("IN")
        return spaced(self.chance, self._left_operand(kind, depth), *words, f"({', '.join(items)})")

    def _between(self, depth: int) -> str:
        kind = self.chance.choice((INT, DOUBLE, STRING))
        words = self._negated("BETWEEN")
        low, high = self.operand(kind, depth), self.operand(kind, depth)
        if kind == INT and self.often(0.7):
            low, high = "1", str(self.chance.randint(1, 30))
        both = (low, keyword(self.chance, "AND"), high)
        return spaced(self.chance, self._left_operand(kind, depth), *words, *both)

    def _like(self, depth: int) -> str:
        words = self._negated("LIKE")
        literal = self.often(0.85)
        pattern = literals.a_pattern(self.chance) if literal else self.text(depth)
        return spaced(self.chance, self._left_operand(STRING, depth), *words, pattern)

    def _is_null(self, depth: int) -> str:
        self.used.add("IS NULL")
        operand = self._left_operand(self._kind(), depth)
        words = [keyword(self.chance, "IS"), *self._not_sometimes("IS NOT NULL")]
        return spaced(self.chance, operand, *words, keyword(self.chance, "NULL"))

    def _not_sometimes(self, construct: str) -> list[str]:
        if not self.often(0.4):
            return []
        self.used.add(construct)
        return [keyword(self.chance, "NOT")]

    def _is_truth(self, depth: int) -> str:
        word = self.chance.choice(("TRUE", "FALSE"))
        self.used.add(f"IS {word}")
        words = [keyword(self.chance, "IS"), *self._not_sometimes(f"IS NOT {word}")]
        return spaced(self.chance, self.truth(depth), *words, keyword(self.chance, word))

    def _bare(self, depth: int) -> str:
        self.used.add("bare truth value")
        return self.truth(depth)

    def _time(self, depth: int) -> str:
        self.used.add("times")
        name = self.chance.choice(TIMES)
        if self.often(0.3):
            return f"{TIMES[1]} >= {TIMES[0]}"
        if self.often(0.3):
            neighbours = ("artifacts", "executions") if self.kind == "context" else ("contexts",)
            name = f"{self.alias(self.chance.choice(neighbours))}.{name}"
        operator = self.chance.choice(("<", ">", ">=", "!="))
        return f"{name} {operator} {self.chance.choice(('0', '4000000000000', '1000'))}"

    def _enumeration(self, depth: int) -> str:
        name, places = self._enumerated()
        attribute = self.chance.choice(places)
        self.used.add(f"enumeration {name}")
        if self.often(0.2):
            return self._numbered(attribute)
        names = list(ENUMS[name])
        if self.often(0.02):
            names += NEW_NAMES[name]
        # MLMD can't do without the names of a neighbour's state, which would drown the rest.
        form = 2 * self.chance.randrange(2) if self._breaks(attribute) else self.chance.randrange(4)
        self.used.add(
            ("enumeration =", "enumeration !=", "enumeration IN", "enumeration NOT IN")[form]
        )
        if form < 2:
            return f"{attribute} {('=', '!=')[form]} {self.chance.choice(names)}"
        sample = self.chance.sample(names, self.chance.randint(1, 3))
        word = ("IN", "NOT IN")[form - 2]
        return f"{attribute} {word} ({', '.join(sample)})"

    def _breaks(self, attribute: str) -> bool:
        return attribute.endswith("state") and "." in attribute and self.often(0.95)

    def _enumerated(self) -> tuple[str, list[str]]:
        """Return an enumeration, and the attributes that have it from here."""
        attribute = {"artifact": "state", "execution": "last_known_state"}.get(self.kind)
        if attribute is not None and self.often(0.65):
            return attribute, [attribute]
        if attribute is not None:
            return "type", [f"{self.alias('events')}.type"]
        neighbour = self.chance.choice(("artifacts", "executions"))
        name = next(name for name in NEIGHBOURS["context"][neighbour] if name.endswith("state"))
        return name, [f"{self.alias(neighbour)}.{name}"]

    def _numbered(self, attribute: str) -> str:
        self.used.add("enumeration by number")
        number = self.chance.randint(1, 6)
        forms = ("{0} IN ({1})", "{0} NOT IN ({1})", "{0} IN ({1}, 2, 5)", "{0} > {1}", "{1} = {0}")
        form = self.chance.choice(forms) if self.often(0.95) else "{0} = {1}"
        return form.format(attribute, number)
