"""`lineage_store.v1.metadata_pb2`, under the name that ML Metadata gives it."""

from lineage_store.v1.metadata_pb2 import *  # noqa: F403 - an alias has every name
