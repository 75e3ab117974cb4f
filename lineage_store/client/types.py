"""The types of nodes: what `LineageStore` offers on them."""

from typing import TypeVar

from lineage_store import errors
from lineage_store.client.calls import Calls
from lineage_store.entities import ArtifactType, ContextType, ExecutionType, NodeType

D = TypeVar("D", bound=NodeType)


class TypeMethods(Calls):
    """Put, get, find and list types.

    A put of a type whose name and version are known returns the stored one if it has the same
    properties. With `can_add_fields` it may bring new properties, with `can_omit_fields` it may
    lack stored ones, which are kept; nothing is ever taken from a type.
    """

    def _put_type(self, node_type: NodeType, can_add: bool, can_omit: bool) -> int:
        kind = node_type.kind
        response = self._call(
            f"Put{kind.name.title()}Type",
            **{f"{kind.name}_type": node_type.to_message()},
            can_add_fields=can_add,
            can_omit_fields=can_omit,
        )
        return self._remember_type(
            (kind, node_type.name, node_type.version or ""), response.type_id
        )

    def _get_type(self, cls: type[D], name: str, version: str | None) -> D:
        method = f"Get{cls.kind.name.title()}Type"
        response = self._call(method, type_name=name, type_version=version)
        return cls.from_message(getattr(response, f"{cls.kind.name}_type"))

    def _find_type(self, cls: type[D], name: str, version: str | None) -> D | None:
        try:
            return self._get_type(cls, name, version)
        except errors.NotFound:
            return None

    def _list_types(self, cls: type[D]) -> list[D]:
        response = self._call(f"Get{cls.kind.name.title()}Types")
        return [
            cls.from_message(message) for message in getattr(response, f"{cls.kind.name}_types")
        ]

    def put_artifact_type(
        self,
        artifact_type: ArtifactType,
        *,
        can_add_fields: bool = False,
        can_omit_fields: bool = False,
    ) -> int:
        """Create an artifact type, or extend the stored one; see `TypeMethods`.

        Returns:
            Its id.

        Raises:
            AlreadyExists: The stored type has other properties.
        """
        return self._put_type(artifact_type, can_add_fields, can_omit_fields)

    def get_artifact_type(self, name: str, version: str | None = None) -> ArtifactType:
        """Return an artifact type.

        Raises:
            NotFound: There is none.
        """
        return self._get_type(ArtifactType, name, version)

    def find_artifact_type(self, name: str, version: str | None = None) -> ArtifactType | None:
        """Return an artifact type, or None if there is none."""
        return self._find_type(ArtifactType, name, version)

    def list_artifact_types(self) -> list[ArtifactType]:
        """Return all artifact types, by id, without the system types."""
        return self._list_types(ArtifactType)

    def put_execution_type(
        self,
        execution_type: ExecutionType,
        *,
        can_add_fields: bool = False,
        can_omit_fields: bool = False,
    ) -> int:
        """Create an execution type, or extend the stored one; see `TypeMethods`.

        Returns:
            Its id.

        Raises:
            AlreadyExists: The stored type has other properties.
        """
        return self._put_type(execution_type, can_add_fields, can_omit_fields)

    def get_execution_type(self, name: str, version: str | None = None) -> ExecutionType:
        """Return an execution type.

        Raises:
            NotFound: There is none.
        """
        return self._get_type(ExecutionType, name, version)

    def find_execution_type(self, name: str, version: str | None = None) -> ExecutionType | None:
        """Return an execution type, or None if there is none."""
        return self._find_type(ExecutionType, name, version)

    def list_execution_types(self) -> list[ExecutionType]:
        """Return all execution types, by id, without the system types."""
        return self._list_types(ExecutionType)

    def put_context_type(
        self,
        context_type: ContextType,
        *,
        can_add_fields: bool = False,
        can_omit_fields: bool = False,
    ) -> int:
        """Create a context type, or extend the stored one; see `TypeMethods`.

        Returns:
            Its id.

        Raises:
            AlreadyExists: The stored type has other properties.
        """
        return self._put_type(context_type, can_add_fields, can_omit_fields)

    def get_context_type(self, name: str, version: str | None = None) -> ContextType:
        """Return a context type.

        Raises:
            NotFound: There is none.
        """
        return self._get_type(ContextType, name, version)

    def find_context_type(self, name: str, version: str | None = None) -> ContextType | None:
        """Return a context type, or None if there is none."""
        return self._find_type(ContextType, name, version)

    def list_context_types(self) -> list[ContextType]:
        """Return all context types, by id."""
        return self._list_types(ContextType)
