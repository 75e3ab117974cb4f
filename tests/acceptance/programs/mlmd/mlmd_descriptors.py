"""Prints the schema of the real ml_metadata: a JSON list of files, each after those it imports.

A file is a serialized FileDescriptorProto in base64.
"""

import base64
import json

from ml_metadata.proto import metadata_store_service_pb2


def files(descriptor, by_name):
    for dependency in descriptor.dependencies:
        files(dependency, by_name)
    by_name.setdefault(descriptor.name, base64.b64encode(descriptor.serialized_pb).decode())
    return by_name


print(json.dumps(list(files(metadata_store_service_pb2.DESCRIPTOR, {}).values())))
