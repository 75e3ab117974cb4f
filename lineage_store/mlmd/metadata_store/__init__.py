"""The store of ML Metadata's Python API, and the system types."""

from lineage_store.mlmd.metadata_store import mlmd_types
from lineage_store.mlmd.metadata_store.listing import ListOptions, OrderByField
from lineage_store.mlmd.metadata_store.metadata_store import (
    ExtraOptions,
    MetadataStore,
    downgrade_schema,
)

__all__ = [
    "ExtraOptions",
    "ListOptions",
    "MetadataStore",
    "OrderByField",
    "downgrade_schema",
    "mlmd_types",
]
