"""ML Metadata's Python API: `from lineage_store import mlmd` for `import ml_metadata as mlmd`.

Names, signatures, defaults and exceptions are those of ml-metadata 1.17.1. The messages are
`lineage_store.v1`, wire-identical to `ml_metadata`'s, whose own messages are accepted wherever one
is expected; so both packages can live in one process. Answers are always messages of this package.
"""

from importlib.metadata import version

from lineage_store.mlmd import errors, proto
from lineage_store.mlmd.metadata_store import (
    ExtraOptions,
    ListOptions,
    MetadataStore,
    OrderByField,
    downgrade_schema,
    mlmd_types,
)

__all__ = [
    "ExtraOptions",
    "ListOptions",
    "MetadataStore",
    "OrderByField",
    "downgrade_schema",
    "errors",
    "mlmd_types",
    "proto",
]

__version__ = version("lineage-store")
