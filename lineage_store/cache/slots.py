"""Where an artifact stands in the signature of a step: a name and an index, kept in its event."""

from collections.abc import Iterable
from typing import Any

Place = tuple[str, int]
"""Name ("" if there is none) and index."""


def places_of(event: Any) -> list[Place]:
    """Return the places that the path of an event names; one without a name if it has no path.

    A path is a sequence of names, each followed by an index or not. An artifact that is used under
    several names has one event with all of them, as TFX writes it.
    """
    found: list[Place] = []
    open_name: str | None = None
    for step in event.path.steps:
        if step.WhichOneof("value") == "key":
            if open_name is not None:
                found.append((open_name, 0))
            open_name = step.key
        else:
            found.append((open_name or "", step.index))
            open_name = None
    if open_name is not None:
        found.append((open_name, 0))
    return found or [("", 0)]


def write_path(event: Any, places: Iterable[Place]) -> None:
    """Set the path of an event; what has neither name nor index has no path."""
    event.ClearField("path")
    for name, index in places:
        if name:
            event.path.steps.add(key=name)
        if name or index:
            event.path.steps.add(index=index)


def label(place: Place) -> str:
    """Return a place for people: "model", "model[1]"."""
    name, index = place
    return f"{name or 'output'}[{index}]" if index else name or "an output"
