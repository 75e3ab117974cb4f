"""The dataclasses, and their way to and from messages."""

import math
from dataclasses import FrozenInstanceError
from typing import Any

import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.wrappers_pb2 import StringValue

from lineage_store import errors
from lineage_store.entities import (
    Artifact,
    ArtifactState,
    ArtifactType,
    Context,
    ContextType,
    Event,
    EventType,
    Execution,
    ExecutionState,
    ExecutionType,
    PropertyType,
)
from lineage_store.v1 import metadata_pb2 as pb

NESTED = {"a": [1, None, {"b": "c"}], "d": True, "e": 2.5}


def _round_trip(value: Any) -> Any:
    message = Artifact(properties={"p": value}).to_message()
    return Artifact.from_message(pb.Artifact.FromString(message.SerializeToString())).properties[
        "p"
    ]


@pytest.mark.parametrize(
    "value",
    [True, False, 0, 2**63 - 1, -(2**63), 1e-300, math.inf, "", "ü\n😀", "a\0b", {}, NESTED],
)
def test_a_property_comes_back_as_it_was(value: Any) -> None:
    result = _round_trip(value)
    assert result == value
    assert type(result) is type(value)


def test_not_a_number_is_kept() -> None:
    assert math.isnan(_round_trip(math.nan))


def test_a_message_is_kept_as_any() -> None:
    result = _round_trip(StringValue(value="x"))
    unpacked = StringValue()
    assert isinstance(result, AnyMessage)
    assert result.Unpack(unpacked)
    assert unpacked.value == "x"


@pytest.mark.parametrize(
    "value",
    [None, 2**63, -(2**63) - 1, b"x", [1], {1}, "\ud800", {"k": b"x"}, {1: "x"}, {"k": 2**53 + 1}],
)
def test_a_value_that_cannot_be_kept_is_refused_by_name(value: Any) -> None:
    with pytest.raises(errors.InvalidArgument, match=r"execution\.custom_properties"):
        Execution(custom_properties={"size": value}).to_message()


@pytest.mark.parametrize(
    "node",
    [
        Artifact(id=1, type="T", type_id=3, name="a", uri="u", external_id="e", update_time=5),
        Artifact(state=ArtifactState.MARKED_FOR_DELETION),
        Artifact(state=ArtifactState.UNKNOWN),
        Execution(id=0, state=ExecutionState.CACHED, properties={"i": 1}),
        Context(name="c", custom_properties={"b": False}),
    ],
)
def test_a_node_comes_back_as_it_was(node: Artifact | Execution | Context) -> None:
    assert type(node).from_message(node.to_message()) == node


def test_a_state_may_be_text() -> None:
    assert Artifact(state="LIVE").to_message().state == pb.Artifact.LIVE  # type: ignore[arg-type]
    with pytest.raises(errors.InvalidArgument, match=r"artifact\.state 'live'"):
        Artifact(state="live").to_message()  # type: ignore[arg-type]


def test_every_enum_follows_the_schema() -> None:
    assert set(ArtifactState) == set(pb.Artifact.State.keys())
    assert set(ExecutionState) == set(pb.Execution.State.keys())
    assert set(EventType) == set(pb.Event.Type.keys()) - {"UNKNOWN"}
    assert set(PropertyType) == set(pb.PropertyType.keys()) - {"UNKNOWN"}


@pytest.mark.parametrize("field", ["name", "uri", "external_id"])
def test_a_field_of_another_kind_is_refused_by_name(field: str) -> None:
    values: dict[str, Any] = {field: 5}
    with pytest.raises(errors.InvalidArgument, match=rf"artifact\.{field} must be text, not int"):
        Artifact(**values).to_message()


def test_a_type_is_declared_with_python_types_or_names() -> None:
    declared: dict[str, Any] = {"i": int, "f": float, "s": str, "b": bool, "d": dict, "p": "PROTO"}
    node_type = ExecutionType(name="T", properties=declared, base_type="mlmd.Train")
    assert list(node_type.properties.values()) == [
        "INT", "DOUBLE", "STRING", "BOOLEAN", "STRUCT", "PROTO",
    ]  # fmt: skip
    assert ExecutionType.from_message(node_type.to_message()) == node_type


def test_an_unknown_property_type_or_base_type_is_refused() -> None:
    wrong: dict[str, Any] = {"x": list}
    with pytest.raises(errors.InvalidArgument, match="property 'x'"):
        ArtifactType(name="T", properties=wrong)
    with pytest.raises(errors.InvalidArgument, match=r"mlmd\.Dataset"):
        ArtifactType(name="T", base_type="Model").to_message()
    with pytest.raises(errors.InvalidArgument, match="no system types"):
        ContextType(name="T", base_type="mlmd.Model").to_message()


def test_an_event_comes_back_as_it_was() -> None:
    event = Event(
        artifact_id=1, execution_id=2, type=EventType.PENDING_OUTPUT, path=("m", 0), time=-1
    )
    assert Event.from_message(event.to_message()) == event


def test_nodes_are_immutable() -> None:
    with pytest.raises(FrozenInstanceError):
        Artifact().name = "x"  # type: ignore[misc]
