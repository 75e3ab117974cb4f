"""Gives a database an older schema; run by the interpreter that has ML Metadata.

    python mlmd_downgrade.py CONFIG VERSION

CONFIG is a ConnectionConfig in the text format.
"""

import sys

import ml_metadata
from google.protobuf import text_format
from ml_metadata.proto import metadata_store_pb2 as pb

config = text_format.Parse(sys.argv[1], pb.ConnectionConfig())
ml_metadata.downgrade_schema(config, int(sys.argv[2]))
