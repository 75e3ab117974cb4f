"""Rows of ML Metadata, each with the rows that belong to it.

A cell is a value of the driver: None, a number, or a text. Texts may be anything, because ML
Metadata checks none: see `texts.py`.
"""

from typing import Any, NamedTuple

Cell = Any


class TypeRecord(NamedTuple):
    """A type, its declared properties (name, number of the kind of value), its parents' ids."""

    id: int
    name: Cell
    version: Cell
    kind: Cell
    description: Cell
    input_type: Cell
    output_type: Cell
    external_id: Cell
    properties: list[tuple[Cell, Cell]]
    parents: list[int]


class PropertyRecord(NamedTuple):
    """A value of a node; exactly one of the five should be there. A proto is in base64."""

    name: Cell
    is_custom: Cell
    int_value: Cell
    double_value: Cell
    string_value: Cell
    proto_value: Cell
    bool_value: Cell


class NodeRecord(NamedTuple):
    """An artifact, execution or context; uri and state are None where its kind has none."""

    id: int
    type_id: Cell
    name: Cell
    external_id: Cell
    uri: Cell
    state: Cell
    create_time: Cell
    update_time: Cell
    properties: list[PropertyRecord]


class StepRecord(NamedTuple):
    """A step of the path of an event."""

    is_index: Cell
    index: Cell
    key: Cell


class EventRecord(NamedTuple):
    """An event and the steps of its path, in their order."""

    id: int
    artifact_id: Cell
    execution_id: Cell
    type: Cell
    milliseconds: Cell
    path: list[StepRecord]
