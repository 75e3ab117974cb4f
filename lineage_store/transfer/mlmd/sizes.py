"""Nodes and events of ML Metadata that are larger than the target takes in one row."""

from collections.abc import Iterator
from typing import TypeVar

from lineage_store.database.staging.edges import path_text
from lineage_store.kinds import NodeMessage
from lineage_store.transfer.mlmd.findings import Findings
from lineage_store.v1 import metadata_pb2 as pb

N = TypeVar("N", bound=NodeMessage)

LEFT_OUT = "it is left out"

_MAPS = (("properties", "property"), ("custom_properties", "custom property"))


class Fit:
    """Makes nodes and events fit into one row.

    Args:
        max_bytes: The largest row that the target takes.
        findings: Receives the values that do not fit.
    """

    def __init__(self, max_bytes: int, findings: Findings) -> None:
        self._max_bytes = max_bytes
        self._findings = findings

    def node(self, node: N, where: str) -> N | None:
        """Return a node without the properties for which there is no room, the largest first.

        None: even so it is too large.
        """
        while (size := node.ByteSize() + len(getattr(node, "uri", "").encode())) > self._max_bytes:
            largest = max(_values(node), default=None)
            if largest is None:
                self._findings.add(where, self._too_large(size), LEFT_OUT)
                return None
            value_size, field, noun, name = largest
            self._findings.add(f"{where}, {noun} {name!r}", self._too_large(value_size), LEFT_OUT)
            del getattr(node, field)[name]
        return node

    def event(self, event: pb.Event, where: str) -> pb.Event | None:
        """Return an event, or None if it is too large."""
        size = event.ByteSize()
        if event.HasField("path"):
            size += len((path_text(event) or "").encode())
        if size <= self._max_bytes:
            return event
        self._findings.add(where, self._too_large(size), LEFT_OUT)
        return None

    def _too_large(self, size: int) -> str:
        return f"has {size} bytes; the target takes {self._max_bytes} in one row"


def _values(node: object) -> Iterator[tuple[int, str, str, str]]:
    """Yield size, field, kind and name of each property."""
    for field, noun in _MAPS:
        for name, value in getattr(node, field).items():
            yield value.ByteSize(), field, noun, name
