"""The tables of ML Metadata, as its schema versions 8, 9 and 10 have them.

PostgreSQL folds their names to lower case. The types are those of the values that are sent; `ddl`
has the types of the columns on each database.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Double,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    null,
)

from lineage_store.kinds import ARTIFACT, CONTEXT, EXECUTION, KINDS, NodeKind

CURRENT = 10
"""The schema version of ML Metadata 1.11 and newer."""

OLDEST = 8
"""The oldest that is read; older ones lack what nodes and events rest on."""

ENVIRONMENT = "MLMDEnv"
"""The table whose one row holds the schema version."""

_EXTERNAL_IDS = 9  # the version from which there are external ids
_PROTO_AND_BOOL = 10

_TIMES = ("create_time_since_epoch", "last_update_time_since_epoch")
_OWN_COLUMNS = {ARTIFACT: ("uri", "state"), EXECUTION: ("last_known_state",), CONTEXT: ()}
_VALUES = ("int_value", "double_value", "string_value", "proto_value", "bool_value")
_TYPES: dict[str, Any] = {
    **dict.fromkeys((*_TIMES, "milliseconds_since_epoch"), BigInteger),
    **dict.fromkeys(("name", "version", "external_id", "uri", "step_key"), Text),
    **dict.fromkeys(("description", "input_type", "output_type", "string_value"), Text),
    **dict.fromkeys(("is_custom_property", "is_index_step", "bool_value"), Boolean),
    "double_value": Double,
    "proto_value": LargeBinary,
}
"""The columns that are no Integer."""

_MEMBERS = {ARTIFACT: "Attribution", EXECUTION: "Association"}


class MlmdTables:
    """The tables of one schema version, as one database spells their names.

    Args:
        version: The schema version.
        lower_case: Whether the names are in lower case.

    Attributes:
        nodes: The table of each kind of node.
        properties: The properties of each kind of node; `node_id` finds the column of its id.
        members: The edges that tie each kind of node to contexts.
    """

    def __init__(self, version: int = CURRENT, *, lower_case: bool = False) -> None:
        self._metadata = MetaData()
        self._lower_case = lower_case
        external_id = ("external_id",) if version >= _EXTERNAL_IDS else ()
        values = _VALUES if version >= _PROTO_AND_BOOL else _VALUES[:3]
        self.environment = self._table(ENVIRONMENT, "schema_version")
        described = ("version", "type_kind", "description", "input_type", "output_type")
        self.types = self._table("Type", "id", "name", *described, *external_id)
        self.type_properties = self._table("TypeProperty", "type_id", "name", "data_type")
        self.parent_types = self._table("ParentType", "type_id", "parent_type_id")
        self.nodes = {
            kind: self._table(
                kind.name.title(), "id", "type_id", "name", *external_id, *own, *_TIMES
            )
            for kind, own in _OWN_COLUMNS.items()
        }
        self.properties = {
            kind: self._table(
                f"{kind.name.title()}Property",
                f"{kind.name}_id",
                "name",
                "is_custom_property",
                *values,
            )
            for kind in KINDS
        }
        edge = ("artifact_id", "execution_id", "type", "milliseconds_since_epoch")
        self.events = self._table("Event", "id", *edge)
        steps = ("event_id", "is_index_step", "step_index", "step_key")
        self.event_paths = self._table("EventPath", *steps)
        self.members = {
            kind: self._table(name, "id", "context_id", f"{kind.name}_id")
            for kind, name in _MEMBERS.items()
        }
        self.parent_contexts = self._table("ParentContext", "context_id", "parent_context_id")

    def _table(self, name: str, *columns: str) -> Table:
        spelled = name.lower() if self._lower_case else name
        typed = (Column(column, _TYPES.get(column, Integer)) for column in columns)
        return Table(spelled, self._metadata, *typed)

    @property
    def all(self) -> list[Table]:
        """Every table."""
        return list(self._metadata.tables.values())

    @property
    def numbered(self) -> list[Table]:
        """The tables whose rows the database numbers."""
        edges = (self.events, *self.members.values())
        return [self.types, *self.nodes.values(), *edges]

    def node_id(self, kind: NodeKind) -> ColumnElement[int]:
        """Return the column of a table of properties that says of which node they are."""
        return self.properties[kind].c[f"{kind.name}_id"]


def column_or_null(table: Table, name: str) -> ColumnElement[Any]:
    """Return a column, or NULL in its place where the schema version lacks it."""
    return table.c[name] if name in table.c else null().label(name)
