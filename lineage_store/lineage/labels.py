"""Labels of nodes for people; nothing in them upsets a terminal."""

import re

from lineage_store.entities import Artifact, ArtifactState, Event, Execution, ExecutionState
from lineage_store.entities.plain import printable
from lineage_store.lineage.aspects import Aspect, aspect_of, flat_properties
from lineage_store.lineage.identity import GraphNode, digest_of, key_of, places_of, version_of

_LONG_HEX = re.compile(r"((?:sha256:)?[0-9a-f]{12})[0-9a-f]{8,}")
_MAX_VALUE = 40
_MAX_DETAILS = 100
_QUIET = {None, ArtifactState.UNKNOWN, ArtifactState.LIVE, ExecutionState.COMPLETE}


def title(node: GraphNode) -> str:
    """Return the type of a node and its name, or the last part of its uri: "Model churn/3"."""
    name = node.name or (isinstance(node, Artifact) and _last_part(node.uri)) or ""
    return printable(f"{node.type or node.kind.name} {name}".rstrip())


def _last_part(uri: str | None) -> str | None:
    return uri.rstrip("/").rpartition("/")[2] if uri else None


def details(node: GraphNode) -> list[str]:
    """Return further details of a node: version and digest, or code and parameters; its state.

    A state that is what one expects, LIVE or COMPLETE, is not told.
    """
    texts = _of_artifact(node) if isinstance(node, Artifact) else _of_execution(node)
    if node.state not in _QUIET:
        texts.append(str(node.state))
    return [printable(text) for text in texts]


def _of_artifact(artifact: Artifact) -> list[str]:
    version, digest = version_of(artifact), digest_of(artifact)
    texts = [] if version is None else [f"version {_short(version)}"]
    return texts if digest is None else [*texts, digest.short]


def _of_execution(execution: Execution) -> list[str]:
    values = flat_properties(execution).items()
    return [
        text
        for aspect in (Aspect.PARAMETERS, Aspect.CODE)
        if (text := _bounded([f"{n.rpartition('.')[2]}={_short(v)}" for n, v in values
                              if aspect_of(n) is aspect]))
    ]  # fmt: skip


def _bounded(parts: list[str]) -> str:
    text = " ".join(sorted(parts))
    return text if len(text) <= _MAX_DETAILS else f"{text[:_MAX_DETAILS]}…"


def _short(value: str) -> str:
    digest = _LONG_HEX.fullmatch(value)
    if digest:
        return digest[1]
    return value if len(value) <= _MAX_VALUE else f"{value[:_MAX_VALUE]}…"


def label(node: GraphNode) -> str:
    """Return one line on a node: "Model churn/3  sha256:9f86d081884c  (artifact:12)"."""
    return "  ".join([title(node), *details(node), f"({key_of(node)})"])


def slot(event: Event) -> str:
    """Return the place of an artifact in the signature of its step: "train", "models/1".

    One that is used under several names has several: "train, test".
    """
    return printable(", ".join(_place(place) for place in places_of(event)))


def _place(place: tuple[str | int, ...]) -> str:
    if len(place) > 1 and place[-1] == 0:
        place = place[:-1]  # the only one of its name, as a rule
    return "/".join(map(str, place))
