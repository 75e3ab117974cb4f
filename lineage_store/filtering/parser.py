"""From the text of a filter to its tree."""

from collections.abc import Callable, Iterator
from functools import lru_cache
from importlib.resources import files

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken, VisitError

from lineage_store.filtering.errors import FilterError
from lineage_store.filtering.literals import ITEM, LITERALS, MAX_INT64, MAX_UINT64, unquoted
from lineage_store.filtering.tree import Literal, Node, Operation, Reference

_VALUES = {"INTEGER", "FLOAT", "STRING", "REFERENCE", "QUOTED", "NAME"}
_OPERATORS = {"COMPARISON", "PLUS", "MINUS", "TIMES", "DIVIDED", "IN", "LIKE", "BETWEEN", "IS"}
_WORDS = {"LPAR": "'('", "RPAR": "')'", "COMMA": "','", "$END": "the end"}


TOKENS_BETWEEN_LOOKS = 500
"""Tokens between two questions of the parser whether to go on: about 10 ms."""


def parse(text: str, go_on: Callable[[], None] = lambda: None) -> Node:
    """Return the tree of a filter.

    Args:
        text: The filter.
        go_on: Called now and then; what it raises ends the work.

    Raises:
        InvalidArgument: The text is not a filter; says where, and what was expected there.
    """
    try:
        tree = _parsed(text, go_on)
    except UnexpectedInput as error:
        raise _syntax_error(text, error).as_error(text) from None
    except VisitError as error:
        raise _cause(error).as_error(text) from None
    except FilterError as error:
        raise error.as_error(text) from None
    return tree


def _parsed(text: str, go_on: Callable[[], None]) -> Node:
    parser = _parser().parse_interactive(text)
    try:
        for number, _ in enumerate(parser.iter_parse(), 1):
            if number % TOKENS_BETWEEN_LOOKS == 0:
                go_on()
        tree: Node = parser.feed_eof()  # type: ignore[no-untyped-call]
    except UnexpectedToken as error:
        error.interactive_parser = parser  # knows what would have been accepted
        raise
    return tree


@lru_cache(maxsize=1)
def _parser() -> Lark:
    grammar = files("lineage_store.filtering").joinpath("grammar.lark").read_text("utf-8")
    grammar = grammar.replace("{literals}", LITERALS)
    return Lark(grammar, parser="lalr", transformer=_Builder(), propagate_positions=False)


def _cause(error: VisitError) -> FilterError:
    if isinstance(error.orig_exc, FilterError):
        return error.orig_exc
    raise error.orig_exc


def _syntax_error(text: str, error: UnexpectedInput) -> FilterError:
    if isinstance(error, UnexpectedCharacters):
        at = error.pos_in_stream or 0
        part = text[at]
        if part in "'\"`":
            return FilterError("the quotation that begins here does not end", at)
        return FilterError(f"{part!r} is not allowed here", at)
    if not isinstance(error, UnexpectedToken):
        return FilterError("the filter can't be read", 0)
    is_end = error.token.type == "$END"
    part = "the end" if is_end else repr(str(error.token))
    at = len(text) if is_end else error.token.start_pos
    return FilterError(f"{part} is not allowed here; expected {_expected(set(error.accepts))}", at)


def _expected(terminals: set[str]) -> str:
    if terminals & _VALUES:  # a value may begin in many ways, which would not help
        return "a value" if terminals & {"INTEGER"} else "a name"
    words = ["an operator"] if terminals & _OPERATORS else []
    rest = terminals - _OPERATORS - {"NOT", "LITERALS"}
    return ", ".join(words + sorted(_WORDS.get(name, name.lstrip("_")) for name in rest))


@v_args(inline=True)
class _Builder(Transformer[Token, Node]):
    """Builds the tree from the inside out while the parser runs, so that no depth can hurt it."""

    def integer(self, token: Token) -> Node:
        digits = str(token).lower()
        if len(digits) > len(str(MAX_UINT64)):
            raise FilterError("the number is too large", token.start_pos)
        value = int(digits, 16) if digits.startswith("0x") else int(digits)
        if value > MAX_UINT64:
            raise FilterError("the number is too large", token.start_pos)
        return Literal(value, _at(token))

    def float(self, token: Token) -> Node:
        return Literal(float(token), _at(token))

    def string(self, token: Token) -> Node:
        try:
            return Literal(unquoted(str(token)), _at(token))
        except ValueError as error:
            raise FilterError(str(error), token.start_pos) from None

    def true(self, token: Token) -> Node:
        return Literal(value=True, at=_at(token))

    def false(self, token: Token) -> Node:
        return Literal(value=False, at=_at(token))

    def null(self, token: Token) -> Node:
        return Literal(None, _at(token))

    def reference(self, token: Token) -> Node:
        return Reference(tuple(_parts(str(token))), _at(token))

    def function(self, name: Token, *operands: Node | None) -> Node:
        arguments = tuple(operand for operand in operands if operand is not None)
        return Operation(name.upper(), arguments, _at(name))

    def cast(self, word: Token, operand: Node, name: Token) -> Node:
        return Operation(f"CAST {name.upper()}", (operand,), _at(word))

    def sign(self, token: Token, operand: Node) -> Node:
        minus = token.type == "MINUS"
        if not isinstance(operand, Literal) or not _is_number(operand.value):
            return Operation("NEGATE" if minus else "POSITIVE", (operand,), _at(token))
        value = -operand.value if minus else operand.value  # type: ignore[operator]
        if isinstance(value, int) and value < -MAX_INT64 - 1:
            raise FilterError("the number is too small", token.start_pos)
        return Literal(value, _at(token))

    def arithmetic(self, left: Node, operator: Token, right: Node) -> Node:
        return Operation(str(operator), (left, right), _at(operator))

    def comparison(self, left: Node, operator: Token, right: Node) -> Node:
        name = "!=" if operator == "<>" else str(operator)
        return Operation(name, (left, right), _at(operator))

    def membership(self, operand: Node, *parts: Node | Token) -> Node:
        if isinstance(parts[-1], Token):
            parts = (*parts[:-1], *self._list_items(parts[-1]))
        return _predicate(operand, parts)

    def like(self, operand: Node, *parts: Node | Token) -> Node:
        return _predicate(operand, parts)

    between = like

    def _list_items(self, token: Token) -> Iterator[Node]:
        """Yield the literals of a list that is one token."""
        for match in ITEM.finditer(token):
            text, at = match[0], _at(token) + match.start()
            if text[0] in "'\"":
                yield Literal(text[1:-1], at)
                continue
            digits = text.removeprefix("-")
            number = Token("NUMBER", digits, start_pos=at + len(text) - len(digits))
            literal = self.integer(number) if digits.isdigit() else self.float(number)
            yield literal if digits is text else self.sign(Token("MINUS", "-", at), literal)

    def is_(self, operand: Node, *words: Token) -> Node:
        return Operation(" ".join(word.upper() for word in words), (operand,), _at(words[0]))

    def not_(self, word: Token, operand: Node) -> Node:
        return Operation("NOT", (operand,), _at(word))

    def and_(self, *operands: Node) -> Node:
        return Operation("AND", operands, operands[0].at)

    def or_(self, *operands: Node) -> Node:
        return Operation("OR", operands, operands[0].at)

    def branch(self, when: Node, then: Node) -> tuple[Node, Node]:
        return (when, then)

    def otherwise(self, node: Node) -> list[Node]:
        return [node]

    def case(self, word: Token, *parts: Node | list[Node]) -> Node:
        has_operand = isinstance(parts[0], Literal | Reference | Operation)
        has_else = isinstance(parts[-1], list)
        name = "CASE" + " OPERAND" * has_operand + " ELSE" * has_else
        flat: list[Node] = []
        for part in parts:
            flat += [part] if isinstance(part, Literal | Reference | Operation) else part
        return Operation(name, tuple(flat), _at(word))


# Python reserves these words, the grammar names its rules after them.
for _word in ("is", "not", "and", "or"):
    setattr(_Builder, _word, getattr(_Builder, f"{_word}_"))


def _predicate(operand: Node, parts: tuple[Node | Token, ...]) -> Node:
    words = [part for part in parts if isinstance(part, Token)]
    operands = [part for part in parts if not isinstance(part, Token)]
    return Operation(" ".join(map(str.upper, words)), (operand, *operands), _at(words[0]))


def _parts(text: str) -> list[str]:
    """Return the parts between the dots of a reference; a dot within backquotes separates none."""
    parts: list[str] = []
    for index, piece in enumerate(text.split("`")):
        if index % 2:
            parts.append(piece)
        else:
            parts += [part for part in piece.split(".") if part]
    return parts


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _at(token: Token) -> int:
    return token.start_pos or 0
