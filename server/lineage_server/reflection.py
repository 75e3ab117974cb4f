"""Server reflection that describes each service under each of its names."""

from google.protobuf import any_pb2, field_mask_pb2, struct_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection, reflection_pb2

from lineage_server.servicer import SERVICE_NAMES
from lineage_store.v1 import (
    audit_pb2,
    cache_pb2,
    history_pb2,
    lineage_pb2,
    metadata_pb2,
    metadata_service_pb2,
)

_OURS, _MLMD = "lineage_store.v1", "ml_metadata"
_FILES = {
    "lineage_store/v1/metadata.proto": "ml_metadata/proto/metadata_store.proto",
    "lineage_store/v1/metadata_service.proto": "ml_metadata/proto/metadata_store_service.proto",
}


def add_reflection(server: object) -> None:
    """Add the standard reflection service to a server.

    The descriptors live in a pool of their own: the name of ML Metadata's package must stay free
    in the default one, where an installed ml_metadata registers it.
    """
    pool = DescriptorPool()
    for module in (any_pb2, struct_pb2, field_mask_pb2, health_pb2, reflection_pb2):
        pool.AddSerializedFile(module.DESCRIPTOR.serialized_pb)
    for module in (metadata_pb2, metadata_service_pb2):
        pool.AddSerializedFile(module.DESCRIPTOR.serialized_pb)
        file_proto = FileDescriptorProto.FromString(module.DESCRIPTOR.serialized_pb)
        pool.AddSerializedFile(_under_mlmd_name(file_proto).SerializeToString())
    for module in (lineage_pb2, cache_pb2, history_pb2, audit_pb2):
        pool.AddSerializedFile(module.DESCRIPTOR.serialized_pb)
    names = (*SERVICE_NAMES, "grpc.health.v1.Health", reflection.SERVICE_NAME)
    reflection.enable_server_reflection(names, server, pool=pool)


def _under_mlmd_name(file_proto: FileDescriptorProto) -> FileDescriptorProto:
    renamed_proto = FileDescriptorProto()
    renamed_proto.CopyFrom(file_proto)
    renamed_proto.name = _FILES[file_proto.name]
    renamed_proto.package = _MLMD
    renamed_proto.dependency[:] = [_FILES.get(name, name) for name in file_proto.dependency]
    for message in renamed_proto.message_type:
        _rename(message)
    for service in renamed_proto.service:
        for method in service.method:
            method.input_type = _renamed(method.input_type)
            method.output_type = _renamed(method.output_type)
    return renamed_proto


def _rename(message: object) -> None:
    for field in message.field:  # type: ignore[attr-defined]
        if field.type_name:
            field.type_name = _renamed(field.type_name)
    for nested in message.nested_type:  # type: ignore[attr-defined]
        _rename(nested)


def _renamed(type_name: str) -> str:
    prefix = f".{_OURS}."
    if type_name.startswith(prefix):
        return f".{_MLMD}.{type_name.removeprefix(prefix)}"
    return type_name
