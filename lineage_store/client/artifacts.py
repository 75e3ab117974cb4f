"""Artifacts: what `LineageStore` offers on them."""

from collections.abc import Iterator, Sequence

from lineage_store.client.calls import OrderBy, Page, id_of
from lineage_store.client.nodes import NodeCalls
from lineage_store.entities import Artifact, Context
from lineage_store.kinds import ARTIFACT
from lineage_store.v1 import metadata_service_pb2 as rpc


class ArtifactMethods(NodeCalls):
    """Put, get, find, list and iterate artifacts."""

    def put_artifact(
        self, artifact: Artifact, *, fields: Sequence[str] | None = None, if_unchanged: bool = False
    ) -> int:
        """Create or update an artifact; see `put_artifacts`.

        Returns:
            Its id.
        """
        return self.put_artifacts([artifact], fields=fields, if_unchanged=if_unchanged)[0]

    def put_artifacts(
        self,
        artifacts: Sequence[Artifact],
        *,
        fields: Sequence[str] | None = None,
        if_unchanged: bool = False,
    ) -> list[int]:
        """Create the artifacts without id and update those with one; all or none.

        An update replaces an artifact whole, its name excepted: a name stays.

        Args:
            artifacts: What to put.
            fields: What an update touches, such as "properties", "properties.KEY" or "state";
                None: everything.
            if_unchanged: Refuse the update of an artifact that changed since it was read.

        Returns:
            The ids, in the order of the arguments.

        Raises:
            InvalidArgument: A property contradicts the type, or an id to update is unknown.
            NotFound: There is no such type.
            AlreadyExists: The name within the type, or the external id, is taken.
            FailedPrecondition: An artifact changed since it was read, with `if_unchanged`.
        """
        options = rpc.PutArtifactsRequest.Options(abort_if_latest_updated_time_changed=if_unchanged)
        return self._put_nodes(ARTIFACT, artifacts, fields, options=options)

    def get_artifact(
        self,
        id: int | None = None,  # noqa: A002 - the field has this name
        *,
        type: str | None = None,  # noqa: A002
        type_version: str | None = None,
        name: str | None = None,
        external_id: str | None = None,
    ) -> Artifact:
        """Return one artifact, chosen by id, by type and name, or by external id.

        Raises:
            NotFound: There is none.
            InvalidArgument: Not exactly one way to choose is given.
        """
        return self._get_node(Artifact, id, type, type_version, name, external_id)

    def find_artifact(
        self,
        id: int | None = None,  # noqa: A002 - the field has this name
        *,
        type: str | None = None,  # noqa: A002
        type_version: str | None = None,
        name: str | None = None,
        external_id: str | None = None,
    ) -> Artifact | None:
        """Return one artifact as `get_artifact` does, or None if there is none."""
        return self._find_node(Artifact, id, type, type_version, name, external_id)

    def get_artifacts(self, ids: Sequence[int]) -> list[Artifact]:
        """Return the artifacts of these ids, in their order.

        Raises:
            NotFound: One of them is unknown.
        """
        return self._by_ids(Artifact, ids)

    def list_artifacts(
        self,
        *,
        type: str | None = None,  # noqa: A002 - the field has this name
        type_version: str | None = None,
        context: Context | int | None = None,
        order_by: OrderBy = "id",
        ascending: bool = True,
        limit: int = 100,
        page_token: str | None = None,
        where: str | None = None,
    ) -> Page[Artifact]:
        """Return a page of artifacts.

        Args:
            type: Only artifacts of this type; not together with `context`.
            type_version: The version of the type; None: the type without version.
            context: Only artifacts that belong to this context, or to that of this id.
            order_by: "id", "create_time" or "update_time"; ties are broken by id.
            ascending: Whether the smallest comes first.
            limit: Items on the page; more than 100 means 100.
            page_token: `next_page_token` of the page before.
            where: Only artifacts for which this expression holds.

        Raises:
            InvalidArgument: An argument is not valid, or the token belongs to another order.
        """
        return self._list_nodes(
            Artifact,
            type_name=type,
            type_version=type_version,
            context_id=None if context is None else id_of(context),
            order_by=order_by,
            ascending=ascending,
            limit=limit,
            page_token=page_token,
            where=where,
        )

    def iter_artifacts(
        self,
        *,
        type: str | None = None,  # noqa: A002 - the field has this name
        type_version: str | None = None,
        context: Context | int | None = None,
        order_by: OrderBy = "id",
        ascending: bool = True,
        limit: int | None = None,
        where: str | None = None,
    ) -> Iterator[Artifact]:
        """Yield artifacts, read page by page while they are consumed.

        The arguments are those of `list_artifacts`, but for `limit`:
        how many in all; None: every one.
        """
        return self._iter_nodes(
            Artifact,
            limit,
            type_name=type,
            type_version=type_version,
            context_id=None if context is None else id_of(context),
            order_by=order_by,
            ascending=ascending,
            where=where,
        )

    def find_artifacts_by_uri(self, *uris: str) -> list[Artifact]:
        """Return the artifacts whose payload is at one of these exact uris; perhaps none."""
        response = self._call("GetArtifactsByURI", uris=uris)
        return [Artifact.from_message(artifact) for artifact in response.artifacts]
