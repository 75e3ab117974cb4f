"""Our messages are ML Metadata's on the wire: compared with the descriptors of the real package."""

import base64
import subprocess

import pytest
from google.protobuf import descriptor_pb2

from lineage_store.kinds import ARTIFACT, CONTEXT, EXECUTION
from lineage_store.v1 import metadata_pb2, metadata_service_pb2
from tests import real_mlmd

SYSTEM_TYPE_EXTENSION = 384560917
"""Of EnumValueOptions. Left out: two packages in one process can't both register it."""

PRINT_DESCRIPTORS = """
import base64
from ml_metadata.proto import metadata_store_pb2, metadata_store_service_pb2
for module in (metadata_store_pb2, metadata_store_service_pb2):
    print(base64.b64encode(module.DESCRIPTOR.serialized_pb).decode())
"""

File = descriptor_pb2.FileDescriptorProto


@pytest.fixture(scope="module")
def theirs() -> list[File]:
    process = subprocess.run(
        [real_mlmd.python(), "-W", "ignore", "-c", PRINT_DESCRIPTORS],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return [File.FromString(base64.b64decode(line)) for line in process.stdout.split()]


@pytest.fixture(scope="module")
def ours() -> list[File]:
    modules = (metadata_pb2, metadata_service_pb2)
    return [File.FromString(module.DESCRIPTOR.serialized_pb) for module in modules]


def relative(name: str) -> str:
    """Return the name of a type without the package, the one thing that may differ."""
    for package in (".ml_metadata.", ".lineage_store.v1."):
        if name.startswith(package):
            return name.removeprefix(package)
    return name


def messages(files: list[File]) -> dict[str, descriptor_pb2.DescriptorProto]:
    by_name = {}

    def walk(prefix: str, siblings) -> None:
        for message in siblings:
            by_name[prefix + message.name] = message
            walk(f"{prefix}{message.name}.", message.nested_type)

    for file in files:
        walk("", file.message_type)
    return by_name


def enums(files: list[File]) -> dict[str, descriptor_pb2.EnumDescriptorProto]:
    by_name = {enum.name: enum for file in files for enum in file.enum_type}
    for name, message in messages(files).items():
        by_name |= {f"{name}.{enum.name}": enum for enum in message.enum_type}
    return by_name


def fields(files: list[File]) -> dict[str, tuple]:
    return {
        f"{name}.{field.name}": (
            field.number,
            field.type,
            field.label,
            relative(field.type_name),
            field.default_value,
            field.options.packed,
            field.options.deprecated,
            message.oneof_decl[field.oneof_index].name if field.HasField("oneof_index") else None,
            field.json_name,
        )
        for name, message in messages(files).items()
        for field in message.field
    }


def test_every_message_is_there(ours, theirs):
    assert list(messages(ours)) == list(messages(theirs))
    assert len([m for m in messages(ours).values() if not m.options.map_entry]) == 161


def test_every_field_is_the_same(ours, theirs):
    assert fields(ours) == fields(theirs)


def test_every_message_has_the_same_options_and_ranges(ours, theirs):
    def shape(message: descriptor_pb2.DescriptorProto) -> tuple:
        return (
            message.options.deprecated,
            message.options.map_entry,
            [(span.start, span.end) for span in message.extension_range],
            [(span.start, span.end) for span in message.reserved_range],
            list(message.reserved_name),
            [oneof.name for oneof in message.oneof_decl],
        )

    shapes = [{name: shape(m) for name, m in messages(side).items()} for side in (ours, theirs)]
    assert shapes[0] == shapes[1]
    assert shapes[0]["TransactionOptions"][2] == [(1000, 2**29)]


def test_every_enum_is_the_same(ours, theirs):
    def shape(side: list[File]) -> dict[str, tuple]:
        return {
            name: (
                [(value.name, value.number) for value in enum.value],
                enum.options.allow_alias,
                enum.options.deprecated,
            )
            for name, enum in enums(side).items()
        }

    assert shape(ours) == shape(theirs)
    assert len(shape(ours)) == 10


def test_every_rpc_is_the_same(ours, theirs):
    def shape(side: list[File]) -> list[tuple]:
        [service] = [service for file in side for service in file.service]
        return [
            (
                service.name,
                method.name,
                relative(method.input_type),
                relative(method.output_type),
                method.client_streaming,
                method.server_streaming,
                method.options.deprecated,
            )
            for method in service.method
        ]

    assert shape(ours) == shape(theirs)
    assert len(shape(ours)) == 52


def test_files_use_the_same_syntax(ours, theirs):
    assert [file.syntax for file in ours] == [file.syntax for file in theirs]


def test_the_one_omission_is_the_extension_of_enum_values(ours, theirs):
    def extensions(side: list[File]) -> list[tuple]:
        options = [extension for file in side for extension in file.extension]
        options += [extension for m in messages(side).values() for extension in m.extension]
        return [(e.name, e.number, e.extendee) for e in options]

    assert extensions(ours) == []
    assert extensions(theirs) == [
        ("system_type_extension", SYSTEM_TYPE_EXTENSION, ".google.protobuf.EnumValueOptions")
    ]


def test_system_types_are_named_as_the_extension_says(theirs):
    real = enums(theirs)
    for kind in (ARTIFACT, EXECUTION, CONTEXT):
        values = real[f"{kind.name.title()}Type.SystemDefinedBaseType"].value
        named = {value.number: type_name(value.options) for value in values}
        assert named == {0: f"unset_{kind.name}_type", **kind.system_types}


def type_name(options: descriptor_pb2.EnumValueOptions) -> str:
    """Return the `type_name` within the extension, read as the bytes that it is on the wire."""
    encoded = options.SerializeToString()
    tag = bytearray()
    number = SYSTEM_TYPE_EXTENSION << 3 | 2
    while number > 0x7F:
        tag.append(number & 0x7F | 0x80)
        number >>= 7
    tag.append(number)
    assert encoded.startswith(tag)
    length, field, text_length, *text = encoded[len(tag) :]
    assert (length, field) == (text_length + 2, 1 << 3 | 2)
    return bytes(text).decode()
