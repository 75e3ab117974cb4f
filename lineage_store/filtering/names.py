"""Resolves the names in a filter."""

from collections.abc import Mapping

from lineage_store.filtering.errors import FilterError, nearest
from lineage_store.filtering.tree import Reference
from lineage_store.filtering.typed import Column, Event, Itself, Neighbour, Property, Source, TypeOf
from lineage_store.filtering.vocabulary import (
    ATTRIBUTES,
    EVENT_ATTRIBUTES,
    PROPERTIES,
    PROPERTY_ATTRIBUTES,
    RELATIONS,
    TYPE_ATTRIBUTES,
    Attribute,
    Relation,
    Type,
    names_of,
)
from lineage_store.kinds import NodeKind
from lineage_store.limits import MAX_NAME

_ITSELF = Itself()


def resolve(kind: NodeKind, reference: Reference) -> Column:
    """Return the column that a reference stands for in a filter on a kind of node.

    Raises:
        FilterError: There is no such name.
    """
    head, rest = reference.parts[0], reference.parts[1:]
    if not rest or head in PROPERTIES:
        return _of_node(kind, _ITSELF, reference, reference.parts)
    for name, relation in RELATIONS[kind].items():
        alias = head.removeprefix(f"{name}_")
        if alias not in {head, ""}:
            return _of_neighbour(relation, alias, reference)
    raise _unknown(".".join(reference.parts), names_of(kind), reference)


def _of_neighbour(relation: Relation, alias: str, reference: Reference) -> Column:
    if not relation.is_event:
        neighbour = Neighbour(relation, alias)
        return _of_node(relation.kind, neighbour, reference, reference.parts[1:])
    attributes = EVENT_ATTRIBUTES | {relation.far: Attribute(relation.far, Type.INT64)}
    return _column(Event(relation, alias), attributes, reference, reference.parts[1:])


def _of_node(
    kind: NodeKind, node: Itself | Neighbour, reference: Reference, parts: tuple[str, ...]
) -> Column:
    if parts[0] in PROPERTIES:
        return _of_property(node, reference, parts)
    if parts[0].lower() in TYPE_ATTRIBUTES:
        return _column(TypeOf(node), TYPE_ATTRIBUTES, reference, parts)
    attributes = ATTRIBUTES[kind]
    # An alias without anything behind it is the likeliest mistake, so its name is offered too.
    others = (
        names_of(kind) if isinstance(node, Itself) else [*attributes, *TYPE_ATTRIBUTES, *PROPERTIES]
    )
    return _column(node, attributes, reference, parts, others)


def _of_property(node: Itself | Neighbour, reference: Reference, parts: tuple[str, ...]) -> Column:
    prefix, *rest = parts
    form = f"{prefix}.NAME.{'|'.join(PROPERTY_ATTRIBUTES)}"
    if len(rest) != 2:  # noqa: PLR2004 - the name and what of it
        raise FilterError(
            f"{'.'.join(parts)!r} is not of the form {form}; a name that is more than letters, "
            "digits and _ is written in backquotes",
            reference.at,
        )
    name, leaf = rest
    if leaf not in PROPERTY_ATTRIBUTES:
        raise _unknown(leaf, PROPERTY_ATTRIBUTES, reference)
    if len(name) > MAX_NAME:
        raise FilterError(f"a name of a property has at most {MAX_NAME} characters", reference.at)
    attribute = PROPERTY_ATTRIBUTES[leaf]
    return Column(Property(node, PROPERTIES[prefix], name), attribute.column, attribute.type)


def _column(
    source: Source,
    attributes: Mapping[str, Attribute],
    reference: Reference,
    parts: tuple[str, ...],
    others: list[str] | None = None,
) -> Column:
    attribute = attributes.get(parts[0].lower())
    if attribute is None:
        raise _unknown(parts[0], others or attributes, reference)
    if len(parts) > 1:
        raise FilterError(f"there is nothing behind {parts[0]!r}", reference.at)
    return Column(source, attribute.column, attribute.type, attribute.names)


def _unknown(
    name: str, choices: "list[str] | Mapping[str, object]", reference: Reference
) -> FilterError:
    hint = nearest(name, choices) or f"; expected one of {', '.join(choices)}"
    return FilterError(f"Unrecognized name: {name!r}{hint}", reference.at)
