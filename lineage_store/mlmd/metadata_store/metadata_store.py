"""The store, as a Python program sees it."""

import weakref

from lineage_store.mlmd import errors
from lineage_store.mlmd.metadata_store.calls import ExtraOptions
from lineage_store.mlmd.metadata_store.connection import connect, database_url
from lineage_store.mlmd.metadata_store.edge_methods import EdgeMethods
from lineage_store.mlmd.metadata_store.listing import MAX_NUM_RESULT, ListOptions, OrderByField
from lineage_store.mlmd.metadata_store.messages import own
from lineage_store.mlmd.metadata_store.step_methods import StepMethods
from lineage_store.v1.metadata_pb2 import ConnectionConfig, MetadataStoreClientConfig

__all__ = [
    "MAX_NUM_RESULT",
    "ExtraOptions",
    "ListOptions",
    "MetadataStore",
    "OrderByField",
    "downgrade_schema",
]

MLMD_SCHEMA_VERSION = 10
"""The schema of the databases of ML Metadata 1.17.1."""


class MetadataStore(StepMethods, EdgeMethods):
    """A store of metadata: a database opened by this process, or a server.

    Any method raises a subclass of `errors.StatusError`; what is particular to a method is said
    there. An aborted call is repeated, five times in all unless `retry_options` say otherwise.

    Args:
        config: The database or the server. An SQLite database is created if it is not there,
            unless its `connection_mode` forbids that.
        enable_upgrade_migration: For the contract only. A database is upgraded by
            `lineage-store db upgrade`.

    Raises:
        ValueError: `config` is no configuration, or asks to upgrade the database of a server.
        RuntimeError: The database can't be opened.
    """

    def __init__(
        self,
        config: ConnectionConfig | MetadataStoreClientConfig,
        enable_upgrade_migration: bool = False,
    ) -> None:
        connection = connect(config, upgrade=enable_upgrade_migration)
        super().__init__(connection.transport, connection.attempts)
        # There is no close() in the contract: programs just drop the store.
        weakref.finalize(self, connection.transport.close)

    @property
    def pipeline_asset(self) -> None:
        """None, as ML Metadata answers outside of Google."""


def downgrade_schema(config: ConnectionConfig, downgrade_to_schema_version: int) -> None:
    """Refuse to rewrite a database in the tables of an old ML Metadata, which ours never had.

    Raises:
        InvalidArgumentError: ML Metadata has no such version of its schema.
        RuntimeError: Otherwise.
    """
    version = downgrade_to_schema_version
    if not 0 <= version <= MLMD_SCHEMA_VERSION:
        raise errors.InvalidArgumentError(
            f"no schema version {version}: give one from 0 to {MLMD_SCHEMA_VERSION}"
        )
    url = database_url(own(ConnectionConfig, config))
    raise NotImplementedError(f"{url} is no database of ML Metadata; it can't be downgraded")
