"""Types: the names of types of nodes and the properties that they declare."""
# ruff: noqa: ARG002 - extra_options are part of every signature and mean nothing

from collections.abc import Iterable

from lineage_store.mlmd.metadata_store.calls import Calls, ExtraOptions
from lineage_store.mlmd.metadata_store.messages import own_or_none
from lineage_store.v1 import metadata_service_pb2 as rpc
from lineage_store.v1.metadata_pb2 import ArtifactType, ContextType, ExecutionType


class TypeMethods(Calls):
    """The methods of a store that deal with types.

    A type is known by its kind, its name and its version; no version is a version, too. A `put`
    creates it, or extends the one that is there: properties may be added with `can_add_fields` and
    left out with `can_omit_fields` (they stay), and never change their type; what is not allowed
    raises AlreadyExistsError. A type without name or with a property of type UNKNOWN raises
    InvalidArgumentError.
    """

    def put_artifact_type(
        self,
        artifact_type: ArtifactType,
        can_add_fields: bool = False,
        can_omit_fields: bool = False,
        extra_options: ExtraOptions | None = None,
    ) -> int:
        """Create or extend an artifact type; return its id."""
        request = rpc.PutArtifactTypeRequest(
            artifact_type=own_or_none(ArtifactType, artifact_type),
            can_add_fields=can_add_fields,
            can_omit_fields=can_omit_fields,
        )
        return self._call(request, rpc.PutArtifactTypeResponse).type_id

    def put_execution_type(
        self,
        execution_type: ExecutionType,
        can_add_fields: bool = False,
        can_omit_fields: bool = False,
        extra_options: ExtraOptions | None = None,
    ) -> int:
        """Create or extend an execution type; return its id."""
        request = rpc.PutExecutionTypeRequest(
            execution_type=own_or_none(ExecutionType, execution_type),
            can_add_fields=can_add_fields,
            can_omit_fields=can_omit_fields,
        )
        return self._call(request, rpc.PutExecutionTypeResponse).type_id

    def put_context_type(
        self,
        context_type: ContextType,
        can_add_fields: bool = False,
        can_omit_fields: bool = False,
        extra_options: ExtraOptions | None = None,
    ) -> int:
        """Create or extend a context type; return its id."""
        request = rpc.PutContextTypeRequest(
            context_type=own_or_none(ContextType, context_type),
            can_add_fields=can_add_fields,
            can_omit_fields=can_omit_fields,
        )
        return self._call(request, rpc.PutContextTypeResponse).type_id

    def get_artifact_type(
        self,
        type_name: str,
        type_version: str | None = None,
        extra_options: ExtraOptions | None = None,
    ) -> ArtifactType:
        """Return an artifact type; NotFoundError if there is none of this name and version."""
        request = rpc.GetArtifactTypeRequest(type_name=type_name, type_version=type_version or None)
        return self._call(request, rpc.GetArtifactTypeResponse).artifact_type

    def get_execution_type(
        self,
        type_name: str,
        type_version: str | None = None,
        extra_options: ExtraOptions | None = None,
    ) -> ExecutionType:
        """Return an execution type; NotFoundError if there is none of this name and version."""
        request = rpc.GetExecutionTypeRequest(
            type_name=type_name, type_version=type_version or None
        )
        return self._call(request, rpc.GetExecutionTypeResponse).execution_type

    def get_context_type(
        self,
        type_name: str,
        type_version: str | None = None,
        extra_options: ExtraOptions | None = None,
    ) -> ContextType:
        """Return a context type; NotFoundError if there is none of this name and version."""
        request = rpc.GetContextTypeRequest(type_name=type_name, type_version=type_version or None)
        return self._call(request, rpc.GetContextTypeResponse).context_type

    def get_artifact_types(self, extra_options: ExtraOptions | None = None) -> list[ArtifactType]:
        """Return all artifact types but the system types."""
        request = rpc.GetArtifactTypesRequest()
        return list(self._call(request, rpc.GetArtifactTypesResponse).artifact_types)

    def get_execution_types(self, extra_options: ExtraOptions | None = None) -> list[ExecutionType]:
        """Return all execution types but the system types."""
        request = rpc.GetExecutionTypesRequest()
        return list(self._call(request, rpc.GetExecutionTypesResponse).execution_types)

    def get_context_types(self, extra_options: ExtraOptions | None = None) -> list[ContextType]:
        """Return all context types."""
        request = rpc.GetContextTypesRequest()
        return list(self._call(request, rpc.GetContextTypesResponse).context_types)

    def get_artifact_types_by_id(
        self, type_ids: Iterable[int], extra_options: ExtraOptions | None = None
    ) -> list[ArtifactType]:
        """Return the artifact types with these ids, in that order; unknown ids are skipped."""
        request = rpc.GetArtifactTypesByIDRequest(type_ids=type_ids)
        return list(self._call(request, rpc.GetArtifactTypesByIDResponse).artifact_types)

    def get_execution_types_by_id(
        self, type_ids: Iterable[int], extra_options: ExtraOptions | None = None
    ) -> list[ExecutionType]:
        """Return the execution types with these ids, in that order; unknown ids are skipped."""
        request = rpc.GetExecutionTypesByIDRequest(type_ids=type_ids)
        return list(self._call(request, rpc.GetExecutionTypesByIDResponse).execution_types)

    def get_context_types_by_id(
        self, type_ids: Iterable[int], extra_options: ExtraOptions | None = None
    ) -> list[ContextType]:
        """Return the context types with these ids, in that order; unknown ids are skipped."""
        request = rpc.GetContextTypesByIDRequest(type_ids=type_ids)
        return list(self._call(request, rpc.GetContextTypesByIDResponse).context_types)

    def get_artifact_types_by_external_ids(
        self, external_ids: Iterable[str], extra_options: ExtraOptions | None = None
    ) -> list[ArtifactType]:
        """Return the artifact types with these external ids; NotFoundError if none has one."""
        request = rpc.GetArtifactTypesByExternalIdsRequest(external_ids=external_ids)
        response = self._call(request, rpc.GetArtifactTypesByExternalIdsResponse)
        return list(response.artifact_types)

    def get_execution_types_by_external_ids(
        self, external_ids: Iterable[str], extra_options: ExtraOptions | None = None
    ) -> list[ExecutionType]:
        """Return the execution types with these external ids; NotFoundError if none has one."""
        request = rpc.GetExecutionTypesByExternalIdsRequest(external_ids=external_ids)
        response = self._call(request, rpc.GetExecutionTypesByExternalIdsResponse)
        return list(response.execution_types)

    def get_context_types_by_external_ids(
        self, external_ids: Iterable[str], extra_options: ExtraOptions | None = None
    ) -> list[ContextType]:
        """Return the context types with these external ids; NotFoundError if none has one."""
        request = rpc.GetContextTypesByExternalIdsRequest(external_ids=external_ids)
        response = self._call(request, rpc.GetContextTypesByExternalIdsResponse)
        return list(response.context_types)
