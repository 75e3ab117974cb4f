"""Types given by their names."""

from typing import Any

from lineage_store import errors
from lineage_store.database.transaction import Transaction
from lineage_store.engine.metadata.types import put_type
from lineage_store.engine.requests import text
from lineage_store.kinds import NodeKind, NodeMessage
from lineage_store.v1 import metadata_pb2 as pb
from lineage_store.v1 import metadata_service_pb2 as service

_TYPE_OF = {
    "int_value": pb.INT,
    "double_value": pb.DOUBLE,
    "string_value": pb.STRING,
    "struct_value": pb.STRUCT,
    "proto_value": pb.PROTO,
    "bool_value": pb.BOOLEAN,
}


class TypeNames:
    """Finds types by name for the nodes of one step.

    Args:
        tx: The transaction.
        create: Whether a type that is unknown is created, and one that lacks properties extended.
    """

    def __init__(self, tx: Transaction, *, create: bool) -> None:
        self._tx = tx
        self._create = create

    def resolved(self, kind: NodeKind, node: NodeMessage, field: str) -> Any:  # noqa: ANN401 - the message of the kind
        """Return a copy of a node that has the id of the type that it names.

        Raises:
            NotFound: There is no such type, and none is to be created.
        """
        copy = kind.message()
        copy.CopyFrom(node)
        name = text(f"{field}.type", node.type)
        if name and not node.HasField("type_id"):
            copy.type_id = self._type_id(kind, name, node, field)
        return copy

    def _type_id(self, kind: NodeKind, name: str, node: NodeMessage, field: str) -> int:
        stored_type = self._tx.types.cached_by_name(kind, name, "")
        if stored_type is not None:
            if not self._create or all(
                key in stored_type.property_kinds for key in node.properties
            ):
                return int(stored_type.message.id)
        elif not self._create:
            raise errors.NotFound(
                f"{field}.type: there is no {kind.name} type {name!r}; create_types creates it"
            )
        return self._put(kind, name, node)

    def _put(self, kind: NodeKind, name: str, node: NodeMessage) -> int:
        request = getattr(service, f"Put{kind.name.title()}TypeRequest")(
            can_add_fields=True, can_omit_fields=True
        )
        node_type = getattr(request, f"{kind.name}_type")
        node_type.name = name
        for key, value in node.properties.items():
            node_type.properties[key] = _TYPE_OF.get(value.WhichOneof("value") or "", pb.UNKNOWN)
        response: Any = put_type(kind)(self._tx, request)
        return int(response.type_id)
