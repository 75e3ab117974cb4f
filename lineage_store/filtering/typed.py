"""A filter that was checked: every name resolved, every value taken out.

Values are replaced by numbered slots, so that two filters that differ in nothing else are equal
here and share one compiled statement.
"""

from dataclasses import dataclass

from lineage_store.filtering.vocabulary import Names, Relation, Type


@dataclass(frozen=True, slots=True)
class Itself:
    """The node that the filter is about."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """One neighbour of the node; the same alias is the same neighbour throughout a filter."""

    relation: Relation
    alias: str


@dataclass(frozen=True, slots=True)
class Event:
    """The event that ties the node to a neighbour; it has the attributes of a neighbour."""

    relation: Relation
    alias: str


@dataclass(frozen=True, slots=True)
class TypeOf:
    """The type of a node."""

    of: Itself | Neighbour


@dataclass(frozen=True, slots=True)
class Property:
    """One property of a node, which must exist."""

    of: Itself | Neighbour
    is_custom: bool
    name: str


Source = Itself | Neighbour | Event | TypeOf | Property
"""The sources of the columns of a filter; all but the node itself are joined."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a source."""

    source: Source
    name: str
    type: Type
    names: Names = ()


@dataclass(frozen=True, slots=True)
class Value:
    """A value, kept aside under the name of its slot."""

    slot: str
    type: Type
    names: Names = ()


@dataclass(frozen=True, slots=True)
class ValueList:
    """A list of values, kept aside as one JSON array under the name of its slot."""

    slot: str
    type: Type
    names: Names = ()


@dataclass(frozen=True, slots=True)
class Null:
    """NULL."""

    type: Type = Type.NULL
    names: Names = ()


@dataclass(frozen=True, slots=True)
class Apply:
    """An operation on expressions."""

    operation: str
    operands: tuple["Expression", ...]
    type: Type
    names: Names = ()


Expression = Column | Value | ValueList | Null | Apply
