"""The messages of lineage_store.v1, generated from proto/ when the project is built.

Those of `metadata_pb2` and `metadata_service_pb2` are wire-identical to ML Metadata's;
`lineage_pb2` and `cache_pb2` are our own.
"""

from lineage_store.v1 import cache_pb2, lineage_pb2, metadata_pb2, metadata_service_pb2

__all__ = ["cache_pb2", "lineage_pb2", "metadata_pb2", "metadata_service_pb2"]
