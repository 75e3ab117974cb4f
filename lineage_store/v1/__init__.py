"""The messages of lineage_store.v1, generated from proto/ when the project is built.

They are wire-identical to those of ML Metadata; use them through `metadata_pb2` and
`metadata_service_pb2`.
"""

from lineage_store.v1 import metadata_pb2, metadata_service_pb2

__all__ = ["metadata_pb2", "metadata_service_pb2"]
