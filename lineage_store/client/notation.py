"""The names that people give nodes, each in one text, and the artifacts of a local file.

| text | nodes |
| --- | --- |
| `12`, `artifact:12`, `execution:7` | a node by kind and id |
| `Model/churn`, `execution:Train/t` | a node by type and name |
| `uri:s3://b/x`, `uri:model.pkl` | the artifacts at a uri; a path is one from where you are |
| `digest:sha256:9f86…`, `sha256:9f86…` | the artifacts of a content; its first digits are enough |
| `./model.pkl`, `model.pkl`, `/data` | what has the content of a file or directory that is there |
"""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lineage_store import errors
from lineage_store.client.artifacts import ArtifactMethods
from lineage_store.client.calls import id_of
from lineage_store.client.executions import ExecutionMethods
from lineage_store.entities import Artifact
from lineage_store.fingerprints.values import fingerprint
from lineage_store.lineage.identity import (
    DigestPattern,
    digest_of,
    key,
    key_of,
    parse_id,
    parse_key,
)
from lineage_store.v1 import lineage_pb2 as pb

FORMS = (
    "give 12, artifact:12, execution:7, TYPE/NAME, execution:TYPE/NAME, uri:URI, digest:DIGEST or "
    "a file that is there"
)

_MANY = 5
"""Artifacts that a remark names."""

_DIGEST = re.compile(r"(?:sha|md|blake)\d[a-z0-9_-]*:[^/]+", re.IGNORECASE)
_PATH = re.compile(r"[.~/\\]|[A-Za-z]:[/\\]")
"""The beginning of a path, as opposed to a name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedNodes:
    """The nodes that a text names.

    Attributes:
        keys: Their keys, such as "artifact:12"; one at least.
        remark: A remark for the person who gave the name; None: nothing.
    """

    keys: list[str]
    remark: str | None = None

    def only(self, name: object) -> str:
        """Return the key of the one node there is.

        Raises:
            InvalidArgument: There are several, all of them artifacts.
        """
        if len(self.keys) == 1:
            return self.keys[0]
        scheme = "uri" if str(name).startswith("uri:") else "digest"
        raise errors.InvalidArgument(
            f"{name} is the {scheme} of {len(self.keys)} artifacts: {', '.join(self.keys)}; "
            "name one of them"
        )


class NotationMethods(ArtifactMethods, ExecutionMethods):
    """Find nodes by the names that people give them, and artifacts by their content."""

    def find_artifacts_by_digest(self, digest: str) -> list[Artifact]:
        """Return the artifacts whose content has a digest, the oldest first; perhaps none.

        `lineage.identity` says which properties hold the digest of an artifact.

        Args:
            digest: "sha256:9f86…"; or the digits alone, or the first of them.

        Raises:
            InvalidArgument: It is no digest.
        """
        DigestPattern.of(digest)  # also where the server would not say so
        selection = pb.NodeSelection(kind=pb.ARTIFACT, digest=digest)
        walk = pb.Walk(start=selection, max_hops=0)
        try:
            parts: list[Any] = list(self._transport.stream("Trace", pb.TraceRequest(walk=walk)))
        except errors.NotFound:
            return []
        messages = [artifact for part in parts for artifact in part.artifacts]
        return sorted(map(Artifact.from_message, messages), key=lambda node: node.id or 0)

    def find_nodes(self, name: str | Path) -> NamedNodes:
        """Return the nodes that a text, or a file or directory of this machine, names.

        See `client.notation` for the forms that a text may have. Of several artifacts with the
        content of a file, that at this very path is answered, else the newest; the remark tells
        the others.

        Raises:
            NotFound: There is none.
            InvalidArgument: It names no node, or the file can't be read.
        """
        if isinstance(name, Path):
            return self._of_file(str(name))
        scheme, colon, rest = name.partition(":")
        if name.isascii() and name.isdigit():
            return NamedNodes(keys=[key("artifact", parse_id(name))])
        if colon and scheme in {"artifact", "execution"}:
            return self._of_kind(scheme, rest)
        if colon and scheme == "uri":
            return _all(self._at(rest), f"no artifact has the uri {rest!r}")
        if (colon and scheme == "digest") or _DIGEST.fullmatch(name):
            digest = rest if scheme == "digest" else name
            artifacts = self.find_artifacts_by_digest(digest)
            return _all(artifacts, f"no artifact has the digest {digest!r}")
        return self._of_name_or_file(name)

    def _of_kind(self, kind: str, rest: str) -> NamedNodes:
        if rest.isascii() and rest.isdigit():
            return NamedNodes(keys=[key(kind, parse_id(rest))])
        return self._of_name(kind, rest)

    def _of_name(self, kind: str, text: str) -> NamedNodes:
        type_name, slash, name = text.partition("/")
        if not (type_name and slash and name):
            raise errors.InvalidArgument(f"{text!r} names no node: {FORMS}")
        get = self.get_artifact if kind == "artifact" else self.get_execution
        return NamedNodes(keys=[key_of(get(type=type_name, name=name))])

    def _of_name_or_file(self, text: str) -> NamedNodes:
        if _PATH.match(text):
            return self._of_file(text)
        try:
            return self._of_name("artifact", text)
        except (errors.NotFound, errors.InvalidArgument) as error:
            if os.path.lexists(text):
                return self._of_file(text)
            artifacts = self._at(text)  # a file that was here once
            if not artifacts:
                raise error from None
            return _all(artifacts, "")

    def _at(self, uri: str) -> list[Artifact]:
        """Return the artifacts at a uri; a relative path is also one from the current directory."""
        is_path = uri and "://" not in uri
        uris = [uri, *(_uris_of(uri) if is_path else ())]
        artifacts = self.find_artifacts_by_uri(*dict.fromkeys(uris))
        exact_matches = [artifact for artifact in artifacts if artifact.uri == uri]
        return exact_matches or artifacts

    def _of_file(self, name: str) -> NamedNodes:
        path, uris = Path(name).expanduser(), _uris_of(name)
        if not os.path.lexists(path):
            message = f"there is no file {name}, and no artifact was recorded at {uris[0]}"
            return _all(self._at(name), message)
        try:
            digest = fingerprint(path)
        except OSError as error:
            raise errors.InvalidArgument(f"{name} can't be read: {error.strerror}") from error
        artifacts = self.find_artifacts_by_digest(digest)
        if not artifacts:
            nearest = self.find_artifacts_by_uri(*uris)
            raise errors.NotFound(_unknown(name, uris[0], digest, nearest))
        return _preferred(name, artifacts, uris)


def _uris_of(name: str) -> list[str]:
    """Return the possible uris of a file: its absolute path, as it is written and resolved."""
    path = Path(name).expanduser()
    absolute = str(path.absolute())
    paths = dict.fromkeys([absolute, os.path.normpath(absolute), str(path.resolve())])
    return [*paths, *(f"file://{one}" for one in paths)]


def _all(artifacts: list[Artifact], otherwise: str) -> NamedNodes:
    if not artifacts:
        raise errors.NotFound(otherwise)
    return NamedNodes(keys=[key_of(artifact) for artifact in artifacts])


def _age(artifact: Artifact) -> tuple[int, int]:
    """Return the sort key of artifacts, the oldest first."""
    return artifact.create_time or 0, artifact.id or 0


def _preferred(name: str, artifacts: list[Artifact], uris: list[str]) -> NamedNodes:
    """Return the artifact of a file, among those with its content."""
    preferred = max(artifacts, key=lambda artifact: (artifact.uri in uris, *_age(artifact)))
    others = [artifact for artifact in artifacts if artifact is not preferred]
    if not others:
        return NamedNodes(keys=[key_of(preferred)])
    why = "recorded at this path" if preferred.uri in uris else "the newest"
    have = "1 other artifact has" if len(others) == 1 else f"{len(others):,} other artifacts have"
    return NamedNodes(
        keys=[key_of(preferred)],
        remark=f"{name} is {key_of(preferred)}, {why}; {have} this content: {_listed(others)}",
    )


def _listed(artifacts: Iterable[Artifact]) -> str:
    newest = sorted(artifacts, key=_age, reverse=True)
    shown = [f"{key_of(artifact)} ({artifact.uri or 'no uri'})" for artifact in newest[:_MANY]]
    return ", ".join(shown + [f"and {len(newest) - _MANY:,} more"] * (len(newest) > _MANY))


def _unknown(name: str, uri: str, digest: str, nearest: list[Artifact]) -> str:
    """Return the error message for a file whose content was never recorded."""
    short = DigestPattern.of(digest).short
    if not nearest:
        return f"no artifact has the content of {name} ({short}), and none was recorded at {uri}"
    times = "once" if len(nearest) == 1 else f"{len(nearest):,} times"
    last = max(nearest, key=_age)
    stored = digest_of(last)
    content = "of which no digest is known" if stored is None else f"with {stored.short}"
    return (
        f"{name} was recorded {times}, never with this content ({short}); "
        f"the last is {key_of(last)}, {content}"
    )


def artifact_id_of(names: NotationMethods, node: Artifact | int | str | Path) -> int:
    """Return the id of an artifact that is given as itself, or by its id or name.

    Raises:
        NotFound: There is none.
        InvalidArgument: It names several, or no artifact.
    """
    if not isinstance(node, str | Path):
        return id_of(node)
    kind, node_id = parse_key(names.find_nodes(node).only(node))
    if kind != "artifact":
        raise errors.InvalidArgument(
            f"{node} is no artifact; only artifacts can be compared and audited"
        )
    return node_id
