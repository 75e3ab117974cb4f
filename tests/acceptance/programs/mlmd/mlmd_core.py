"""Opens a store of the real ML Metadata; imported by scripts on the interpreter that has it."""

from google.protobuf import text_format
from ml_metadata.metadata_store.pywrap.metadata_store_extension import metadata_store as core
from ml_metadata.proto import metadata_store_pb2


def open_store(database):
    """Open a store by the path of an SQLite file, or by a ConnectionConfig in the text format."""
    config = metadata_store_pb2.ConnectionConfig()
    if "{" in database:
        text_format.Parse(database, config)
    else:
        config.sqlite.filename_uri = database
    # Without it, nothing makes the tables on PostgreSQL.
    is_postgresql = config.WhichOneof("config") == "postgresql"
    migration = metadata_store_pb2.MigrationOptions(enable_upgrade_migration=is_postgresql)
    return core.CreateMetadataStore(config.SerializeToString(), migration.SerializeToString())
