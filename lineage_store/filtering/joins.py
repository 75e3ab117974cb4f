"""The tables that a filter joins: one row of each for every combination it speaks about."""

from sqlalchemy import ColumnElement, FromClause, and_, bindparam, func

from lineage_store.database import tables
from lineage_store.filtering.portable import MANY, SOME, Likelihood
from lineage_store.filtering.sql import Sql
from lineage_store.filtering.typed import Column, Event, Itself, Neighbour, Property, Source, TypeOf
from lineage_store.filtering.vocabulary import Relation
from lineage_store.kinds import NodeKind


class Joins:
    """Gives out columns, and joins what they need.

    Args:
        kind: The kind of node that the filter is about.

    Attributes:
        joins: Each table, under an alias, with how it is joined.
        repeats: Whether a node may come with more than one combination.
    """

    def __init__(self, kind: NodeKind) -> None:
        self._kind = kind
        self._node = tables.nodes[kind]
        self._tables: dict[object, FromClause] = {}
        self.joins: list[tuple[FromClause, ColumnElement[bool]]] = []
        self.repeats = False

    def column(self, column: Column) -> Sql:
        """Return a column of a filter as a column of SQL."""
        source = column.source
        if isinstance(source, Itself):
            return self._node.c[column.name]
        if isinstance(source, Event):
            return self._edges(source.relation, source.alias).c[column.name]
        if isinstance(source, Neighbour) and column.name == "id":
            return self._id(source)
        table = self._table(source)
        if isinstance(source, Property) and column.name == "string_value":
            return func.coalesce(table.c.text_value, table.c.string_value)
        return table.c[column.name]

    def short_string(self, source: Property) -> Sql:
        """Return the indexed column of a string property: its first characters."""
        return self._table(source).c.string_value

    def _id(self, node: Itself | Neighbour) -> Sql:
        if isinstance(node, Itself):
            return self._node.c.id
        return self._edges(node.relation, node.alias).c[node.relation.far]

    def _kind_of(self, node: Itself | Neighbour) -> NodeKind:
        return self._kind if isinstance(node, Itself) else node.relation.kind

    def _edges(self, relation: Relation, alias: str) -> FromClause:
        key = (relation, alias)
        if key not in self._tables:
            self.repeats = True
            edges = tables.metadata.tables[relation.edges].alias(f"e{len(self._tables)}")
            self._join(key, edges, edges.c[relation.near] == self._node.c.id)
        return self._tables[key]

    def _table(self, source: Source) -> FromClause:
        if isinstance(source, Itself):
            return self._node
        if source not in self._tables:
            getattr(self, f"_join_{type(source).__name__.lower()}")(source)
        return self._tables[source]

    def _join_neighbour(self, source: Neighbour) -> None:
        far = self._id(source)
        node = tables.nodes[source.relation.kind].alias(f"n{len(self._tables)}")
        self._join(source, node, node.c.id == far)

    def _join_typeof(self, source: TypeOf) -> None:
        node = self._table(source.of)
        types = tables.types.alias(f"t{len(self._tables)}")
        # The kind says nothing new, but an index on types begins with it.
        of_kind = types.c.kind == bindparam(types.name + "_kind", self._kind_of(source.of).number)
        same = Likelihood(types.c.id == node.c.type_id, MANY)
        self._join(source, types, and_(same, of_kind))

    def _join_property(self, source: Property) -> None:
        node_id = self._id(source.of)
        number = len(self._tables)
        row = tables.properties[self._kind_of(source.of)].alias(f"p{number}")
        named = row.c.name == bindparam(f"p{number}_name", source.name)
        custom = row.c.is_custom == bindparam(f"p{number}_custom", source.is_custom)
        same = and_(row.c.node_id == node_id, Likelihood(named, SOME), custom)
        self._join(source, row, same)

    def _join(self, key: object, table: FromClause, condition: ColumnElement[bool]) -> None:
        self._tables[key] = table
        self.joins.append((table, condition))
