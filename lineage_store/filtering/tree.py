"""A filter as it was written: the tree that the parser builds and the printer reads.

Every node knows where it stood (`at`, in characters from the start), which takes no part in
comparing two trees.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Literal:
    """A value: a number, a text, a truth value, or NULL as None."""

    value: int | float | str | bool | None
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Reference:
    """A name, or several behind each other: `name`, `contexts_a.id`, `properties.k.int_value`."""

    parts: tuple[str, ...]
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Operation:
    """An operator or a function, in capitals, and its operands.

    `CASE` has its operand, if any, in front of pairs of condition and result, and what stands
    behind ELSE at the end; its name says which of both there are.
    """

    name: str
    operands: tuple["Node", ...]
    at: int = field(default=0, compare=False)


Node = Literal | Reference | Operation
