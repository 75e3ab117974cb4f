"""Nodes: artifacts, executions and contexts."""
# ruff: noqa: ARG002 - extra_options are part of every signature and mean nothing

from collections.abc import Iterable, Sequence

from google.protobuf.field_mask_pb2 import FieldMask

from lineage_store.mlmd.metadata_store.calls import Calls, ExtraOptions
from lineage_store.mlmd.metadata_store.listing import ListOptions
from lineage_store.mlmd.metadata_store.messages import own_all
from lineage_store.v1 import metadata_service_pb2 as rpc
from lineage_store.v1.metadata_pb2 import Artifact, ArtifactType, Context, Execution


def _mask(paths: Sequence[str] | None) -> FieldMask | None:
    return FieldMask(paths=paths) if paths else None


class NodeMethods(Calls):
    """The methods of a store that deal with nodes.

    A `put` creates the nodes without id and updates those with one, all or none. An update replaces
    a node whole, or, with `field_mask_paths`, only the fields (`uri`), maps (`properties`) and keys
    of maps (`properties.KEY`) named there. A name that another node of the type has, or an external
    id that another node of the kind has, raises AlreadyExistsError; anything that contradicts the
    type of a node, and an unknown id, InvalidArgumentError.
    """

    def put_artifacts(
        self,
        artifacts: Sequence[Artifact],
        field_mask_paths: Sequence[str] | None = None,
        extra_options: ExtraOptions | None = None,
    ) -> list[int]:
        """Create or update artifacts; return their ids in the same order."""
        request = rpc.PutArtifactsRequest(
            artifacts=own_all(Artifact, artifacts), update_mask=_mask(field_mask_paths)
        )
        return list(self._call(request, rpc.PutArtifactsResponse).artifact_ids)

    def put_executions(
        self,
        executions: Sequence[Execution],
        field_mask_paths: Sequence[str] | None = None,
        extra_options: ExtraOptions | None = None,
    ) -> list[int]:
        """Create or update executions; return their ids in the same order."""
        request = rpc.PutExecutionsRequest(
            executions=own_all(Execution, executions), update_mask=_mask(field_mask_paths)
        )
        return list(self._call(request, rpc.PutExecutionsResponse).execution_ids)

    def put_contexts(
        self,
        contexts: Sequence[Context],
        field_mask_paths: Sequence[str] | None = None,
        extra_options: ExtraOptions | None = None,
    ) -> list[int]:
        """Create or update contexts, each of which needs a name; return their ids in order."""
        request = rpc.PutContextsRequest(
            contexts=own_all(Context, contexts), update_mask=_mask(field_mask_paths)
        )
        return list(self._call(request, rpc.PutContextsResponse).context_ids)

    def get_artifacts(
        self, list_options: ListOptions | None = None, extra_options: ExtraOptions | None = None
    ) -> list[Artifact]:
        """Return the artifacts that the options ask for; all, by id, if there are none."""
        request = rpc.GetArtifactsRequest()
        return self._list(request, rpc.GetArtifactsResponse, "artifacts", list_options)

    def get_executions(
        self, list_options: ListOptions | None = None, extra_options: ExtraOptions | None = None
    ) -> list[Execution]:
        """Return the executions that the options ask for; all, by id, if there are none."""
        request = rpc.GetExecutionsRequest()
        return self._list(request, rpc.GetExecutionsResponse, "executions", list_options)

    def get_contexts(
        self, list_options: ListOptions | None = None, extra_options: ExtraOptions | None = None
    ) -> list[Context]:
        """Return the contexts that the options ask for; all, by id, if there are none."""
        request = rpc.GetContextsRequest()
        return self._list(request, rpc.GetContextsResponse, "contexts", list_options)

    def get_artifacts_by_id(
        self, artifact_ids: Iterable[int], extra_options: ExtraOptions | None = None
    ) -> list[Artifact]:
        """Return the artifacts with these ids, ordered by id; unknown ids are skipped."""
        request = rpc.GetArtifactsByIDRequest(artifact_ids=artifact_ids)
        return list(self._call(request, rpc.GetArtifactsByIDResponse).artifacts)

    def get_artifacts_and_types_by_artifact_ids(
        self, artifact_ids: Iterable[int], extra_options: ExtraOptions | None = None
    ) -> tuple[list[Artifact], list[ArtifactType]]:
        """Return the artifacts with these ids, and each of their types once."""
        request = rpc.GetArtifactsByIDRequest(
            artifact_ids=artifact_ids, populate_artifact_types=True
        )
        response = self._call(request, rpc.GetArtifactsByIDResponse)
        return list(response.artifacts), list(response.artifact_types)

    def get_executions_by_id(
        self, execution_ids: Iterable[int], extra_options: ExtraOptions | None = None
    ) -> list[Execution]:
        """Return the executions with these ids, ordered by id; unknown ids are skipped."""
        request = rpc.GetExecutionsByIDRequest(execution_ids=execution_ids)
        return list(self._call(request, rpc.GetExecutionsByIDResponse).executions)

    def get_contexts_by_id(
        self, context_ids: Iterable[int], extra_options: ExtraOptions | None = None
    ) -> list[Context]:
        """Return the contexts with these ids, ordered by id; unknown ids are skipped."""
        request = rpc.GetContextsByIDRequest(context_ids=context_ids)
        return list(self._call(request, rpc.GetContextsByIDResponse).contexts)

    def get_artifacts_by_type(
        self,
        type_name: str,
        type_version: str | None = None,
        extra_options: ExtraOptions | None = None,
    ) -> list[Artifact]:
        """Return the artifacts of a type; none if the type is unknown."""
        request = rpc.GetArtifactsByTypeRequest(
            type_name=type_name, type_version=type_version or None
        )
        return self._list(request, rpc.GetArtifactsByTypeResponse, "artifacts", None)

    def get_executions_by_type(
        self,
        type_name: str,
        type_version: str | None = None,
        extra_options: ExtraOptions | None = None,
    ) -> list[Execution]:
        """Return the executions of a type; none if the type is unknown."""
        request = rpc.GetExecutionsByTypeRequest(
            type_name=type_name, type_version=type_version or None
        )
        return self._list(request, rpc.GetExecutionsByTypeResponse, "executions", None)

    def get_contexts_by_type(
        self,
        type_name: str,
        type_version: str | None = None,
        extra_options: ExtraOptions | None = None,
    ) -> list[Context]:
        """Return the contexts of a type; none if the type is unknown."""
        request = rpc.GetContextsByTypeRequest(
            type_name=type_name, type_version=type_version or None
        )
        return self._list(request, rpc.GetContextsByTypeResponse, "contexts", None)

    def get_artifact_by_type_and_name(
        self,
        type_name: str,
        artifact_name: str,
        type_version: str | None = None,
        extra_options: ExtraOptions | None = None,
    ) -> Artifact | None:
        """Return the artifact of this type and name, if there is one."""
        request = rpc.GetArtifactByTypeAndNameRequest(
            type_name=type_name, type_version=type_version or None, artifact_name=artifact_name
        )
        response = self._call(request, rpc.GetArtifactByTypeAndNameResponse)
        return response.artifact if response.HasField("artifact") else None

    def get_execution_by_type_and_name(
        self,
        type_name: str,
        execution_name: str,
        type_version: str | None = None,
        extra_options: ExtraOptions | None = None,
    ) -> Execution | None:
        """Return the execution of this type and name, if there is one."""
        request = rpc.GetExecutionByTypeAndNameRequest(
            type_name=type_name, type_version=type_version or None, execution_name=execution_name
        )
        response = self._call(request, rpc.GetExecutionByTypeAndNameResponse)
        return response.execution if response.HasField("execution") else None

    def get_context_by_type_and_name(
        self,
        type_name: str,
        context_name: str,
        type_version: str | None = None,
        extra_options: ExtraOptions | None = None,
    ) -> Context | None:
        """Return the context of this type and name, if there is one."""
        request = rpc.GetContextByTypeAndNameRequest(
            type_name=type_name, type_version=type_version or None, context_name=context_name
        )
        response = self._call(request, rpc.GetContextByTypeAndNameResponse)
        return response.context if response.HasField("context") else None

    def get_artifacts_by_external_ids(
        self, external_ids: Iterable[str], extra_options: ExtraOptions | None = None
    ) -> list[Artifact]:
        """Return the artifacts with these external ids; NotFoundError if none has one."""
        request = rpc.GetArtifactsByExternalIdsRequest(external_ids=external_ids)
        return list(self._call(request, rpc.GetArtifactsByExternalIdsResponse).artifacts)

    def get_executions_by_external_ids(
        self, external_ids: Iterable[str], extra_options: ExtraOptions | None = None
    ) -> list[Execution]:
        """Return the executions with these external ids; NotFoundError if none has one."""
        request = rpc.GetExecutionsByExternalIdsRequest(external_ids=external_ids)
        return list(self._call(request, rpc.GetExecutionsByExternalIdsResponse).executions)

    def get_contexts_by_external_ids(
        self, external_ids: Iterable[str], extra_options: ExtraOptions | None = None
    ) -> list[Context]:
        """Return the contexts with these external ids; NotFoundError if none has one."""
        request = rpc.GetContextsByExternalIdsRequest(external_ids=external_ids)
        return list(self._call(request, rpc.GetContextsByExternalIdsResponse).contexts)

    def get_artifacts_by_uri(
        self, uri: str, extra_options: ExtraOptions | None = None
    ) -> list[Artifact]:
        """Return the artifacts with exactly this URI; for "", those without one."""
        request = rpc.GetArtifactsByURIRequest(uris=[uri])
        return list(self._call(request, rpc.GetArtifactsByURIResponse).artifacts)
