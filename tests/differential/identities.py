"""Ids as symbols: the n-th type, artifact, execution or context that a store handed out.

The two stores number their nodes as they like. A request is therefore written with symbols, encoded
for each store with the ids of that store, and the answers are turned back into symbols. A symbol is
the place, from 1, at which an id first appeared in an answer to a put; the nine system types come
first, as they do in the real store.

Three kinds of numbers stand in an id field:

* a reference, in an operation that is not tied to a state yet: the n-th node of those there are;
* a symbol, once the operation is tied to the state it runs in;
* a literal, zero or less or at least UNKNOWN, which is nobody's id and the same for both stores.
"""

from collections.abc import Callable, Iterator

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

KINDS = ("artifact", "execution", "context")
UNKNOWN = 10**9
_ID_FIELDS = {"id", "type_id", "child_id", "parent_id"}
_ID_FIELDS |= {f"{kind}{part}_id" for kind in KINDS for part in ("", "_type")}
# In the order in which a fresh store of ML Metadata has them, with ids from 1.
SYSTEM_TYPES = (
    *(("artifact", name) for name in ("Dataset", "Model", "Metrics", "Statistics")),
    *(("execution", name) for name in ("Train", "Transform", "Process", "Evaluate", "Deploy")),
)
# References from here on mean any type, of whatever kind; those below mean types of the field's.
ANY_TYPE = 1000


def is_literal(number: int) -> bool:
    """Return True if a number in an id field is the same for both stores."""
    return number <= 0 or number >= UNKNOWN


def space_of(message: str, name: str) -> tuple[str, str] | None:
    """Return the sort of ids in a field, and their kind, or None for any other field.

    Args:
        message: The name of the message type, such as "Event".
        name: The name of the field, such as "artifact_id".
    """
    singular = name.removesuffix("s")
    if singular not in _ID_FIELDS:
        return None
    if singular in ("child_id", "parent_id"):
        return "context", "context"
    # The kind stands in the field's name, or else in the message's.
    named = singular if singular not in ("id", "type_id") else message.lower()
    kind = next((kind for kind in KINDS if kind in named), None)
    if kind is None:
        return None
    is_type = "type_id" in singular or (singular == "id" and message.endswith("Type"))
    return ("type" if is_type else kind), kind


def messages_in(message: Message) -> Iterator[Message]:
    """Yield a message and all messages within it, map values aside."""
    yield message
    for descriptor, value in message.ListFields():
        if descriptor.type != FieldDescriptor.TYPE_MESSAGE or is_map(descriptor):
            continue
        for part in value if is_list(value) else (value,):
            yield from messages_in(part)


def is_list(value: object) -> bool:
    """Return True if the value of a field is a repeated one; maps are not."""
    return hasattr(value, "append")


def is_map(descriptor: FieldDescriptor) -> bool:
    """Return True if a field is a map."""
    return descriptor.message_type is not None and descriptor.message_type.GetOptions().map_entry


def replace_ids(message: Message, replace: Callable[[str, str, int], int]) -> None:
    """Set each id in a message to `replace(space, kind, id)`."""
    for part in messages_in(message):
        for descriptor, value in part.ListFields():
            space = space_of(part.DESCRIPTOR.name, descriptor.name)
            if space is None:
                continue
            if is_list(value):
                value[:] = [replace(*space, number) for number in value]
            else:
                setattr(part, descriptor.name, replace(*space, value))


class Identities:
    """The ids that one store handed out, and their symbols."""

    def __init__(self) -> None:
        self._ids: dict[str, list[int]] = {space: [] for space in ("type", *KINDS)}
        self._symbols: dict[str, dict[int, int]] = {space: {} for space in self._ids}
        # The types that an operation may refer to as one of its kind: the system types are not.
        self._types: dict[str, list[int]] = {kind: [] for kind in KINDS}

    def learn(self, response: Message) -> None:
        """Give a symbol to each id of an answer that has none."""
        replace_ids(response, self._learn)

    def _learn(self, space: str, kind: str, number: int) -> int:
        if not is_literal(number) and number not in self._symbols[space]:
            self._ids[space].append(number)
            symbol = self._symbols[space][number] = len(self._ids[space])
            if space == "type" and symbol > len(SYSTEM_TYPES):
                self._types[kind].append(symbol)
        return number

    def resolve(self, request: Message) -> None:
        """Replace references by the symbols of the nodes that exist now."""
        replace_ids(request, self._resolve)

    def _resolve(self, space: str, kind: str, number: int) -> int:
        if is_literal(number):
            return number
        if space == "type" and number < ANY_TYPE:
            there = self._types[kind]
        else:
            there = range(1, len(self._ids[space]) + 1)
        return there[(number - 1) % len(there)] if there else UNKNOWN + number

    def to_ids(self, request: Message) -> None:
        """Replace the symbols of a request by the ids of the store."""
        replace_ids(request, lambda space, _, symbol: self.id_of(space, symbol))

    def id_of(self, space: str, symbol: int) -> int:
        """Return the id for a symbol; a literal is itself."""
        return symbol if is_literal(symbol) else self._ids[space][symbol - 1]

    def to_symbols(self, response: Message) -> None:
        """Replace the ids of an answer by their symbols."""
        replace_ids(response, self._symbol_of)

    def _symbol_of(self, space: str, _: str, number: int) -> int:
        if is_literal(number):
            return number
        # An id that no put answered is made recognisable, and never equal to a symbol.
        return self._symbols[space].get(number, -UNKNOWN - number)

    def symbols(self, space: str) -> range:
        """Return all symbols of a space."""
        return range(1, len(self._ids[space]) + 1)

    def types_of(self, kind: str) -> list[int]:
        """Return the symbols of the types of a kind, the system types aside."""
        return list(self._types[kind])
