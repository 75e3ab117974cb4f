"""Slots: the names and indexes that artifacts have in the signature of a step, kept in events."""

from collections.abc import Iterable

from lineage_store.v1 import metadata_pb2 as pb

Slot = tuple[str, int]
"""Name ("" if there is none) and index."""


def slots_of(event: pb.Event) -> list[Slot]:
    """Return the slots that the path of an event names; one without a name if it has no path.

    A path is a sequence of names, each followed by an index or not. An artifact that is used under
    several names has one event with all of them, as TFX writes it.
    """
    slots: list[Slot] = []
    open_name: str | None = None
    for step in event.path.steps:
        if step.WhichOneof("value") == "key":
            if open_name is not None:
                slots.append((open_name, 0))
            open_name = step.key
        else:
            slots.append((open_name or "", step.index))
            open_name = None
    if open_name is not None:
        slots.append((open_name, 0))
    return slots or [("", 0)]


def write_path(event: pb.Event, slots: Iterable[Slot]) -> None:
    """Set the path of an event; a slot with neither name nor index has no path."""
    event.ClearField("path")
    for name, index in slots:
        if name:
            event.path.steps.add(key=name)
        if name or index:
            event.path.steps.add(index=index)


def label(slot: Slot) -> str:
    """Return a slot for people: "model", "model[1]"."""
    name, index = slot
    return f"{name or 'output'}[{index}]" if index else name or "an output"
