"""The same request gets the same error: a map of protobuf has no order, so names are sorted."""

import pytest

from lineage_store import errors
from lineage_store.v1 import metadata_pb2 as pb

NAMES = ["b", "d", "a", "c", "e"]
SORTED = "'a', 'b', 'c', 'd', 'e'"


def put_type(call, names, **flags):
    properties = dict.fromkeys(names, pb.INT)
    return call("PutArtifactType", artifact_type={"name": "T", "properties": properties}, **flags)


def test_all_omitted_properties_are_named(call):
    put_type(call, NAMES)
    with call.refused(errors.AlreadyExists, match=f"{SORTED} in the stored type are missing"):
        put_type(call, [])


def test_all_new_properties_are_named(call):
    put_type(call, [])
    with call.refused(errors.AlreadyExists, match=f"{SORTED} not in the stored type"):
        put_type(call, NAMES)


def test_all_properties_of_another_kind_are_named(call):
    put_type(call, NAMES)
    other = {"name": "T", "properties": dict.fromkeys(NAMES, pb.STRING)}
    with call.refused(errors.AlreadyExists, match=f"{SORTED} stored with another kind of value"):
        call("PutArtifactType", artifact_type=other)


def test_all_properties_of_an_unknown_kind_are_named(call):
    unknown = {"name": "U", "properties": dict.fromkeys(NAMES, pb.UNKNOWN)}
    with call.refused(errors.InvalidArgument, match=f"{SORTED} must not be UNKNOWN"):
        call("PutArtifactType", artifact_type=unknown)


@pytest.mark.parametrize("field", ["properties", "custom_properties"])
def test_the_first_misfit_by_name_is_told(call, field):
    put_type(call, NAMES)
    node = {"type_id": call.type(name="T"), field: dict.fromkeys(NAMES)}
    with call.refused(errors.InvalidArgument, match=r"properties\['a'\]"):
        call("PutArtifacts", artifacts=[node])


def test_the_first_output_parameter_by_name_is_told(call):
    step = {"key": "s", "create_types": True, "execution": {"type": "E"}}
    cache = {"digest": bytes(32), "output_parameters": dict.fromkeys(NAMES)}
    with call.refused(errors.InvalidArgument, match=r"output_parameters\['a'\] has no value"):
        call("RecordStep", step={**step, "cache": cache})
