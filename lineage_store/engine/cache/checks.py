"""Checks of the fields of a request to the cache; each error names the field."""

from collections.abc import Iterable, Mapping
from typing import Any

from google.protobuf.message import Message

from lineage_store import errors
from lineage_store.cache.decision import Policy
from lineage_store.database.tables import DIGEST_BYTES, SHORT_STRING
from lineage_store.engine.requests import bounded, required, text
from lineage_store.v1 import cache_pb2 as pb
from lineage_store.v1 import metadata_pb2

MAX_LEASE_MS = 24 * 60 * 60 * 1_000
"""A day: whoever runs for longer sends heartbeats."""

MAX_TIME_MS = 2**53 - 1
"""So that a time and a duration can be added on any database, and read by a browser."""


def scope_of(message: Any, where: str = "") -> str:  # noqa: ANN401 - of several requests
    """Return the scope of a message, "" if it has none."""
    return bounded(f"{where}scope", message.scope)


def digest(value: bytes, field: str) -> bytes:
    """Return a key.

    Raises:
        InvalidArgument: It has not 32 bytes.
    """
    if len(value) != DIGEST_BYTES:
        raise errors.InvalidArgument(
            f"{field} has {len(value)} bytes; a key has {DIGEST_BYTES}, a SHA-256"
        )
    return value


def digests(values: Iterable[bytes], field: str) -> list[bytes]:
    """Return a list of keys."""
    return [digest(value, f"{field}[{at}]") for at, value in enumerate(values)]


def fingerprint(value: object, field: str) -> str:
    """Return a fingerprint.

    Raises:
        InvalidArgument: It is empty, or too long for the index.
    """
    if not 0 < len(text(field, value)) <= SHORT_STRING:
        raise errors.InvalidArgument(f"{field} must have 1 to {SHORT_STRING} characters")
    return str(value)


def holder(message: Any, where: str) -> str:  # noqa: ANN401 - of several requests
    """Return who claims.

    Raises:
        InvalidArgument: Nobody does.
    """
    if not message.holder:
        raise errors.InvalidArgument(f"{where}holder must not be empty")
    return bounded(f"{where}holder", message.holder)


def lease(message: Any, where: str) -> int:  # noqa: ANN401 - of several requests
    """Return for how many ms a claim is taken.

    Raises:
        InvalidArgument: It is not positive, or too long.
    """
    milliseconds: int = message.lease_milliseconds
    if not 0 < milliseconds <= MAX_LEASE_MS:
        raise errors.InvalidArgument(
            f"{where}lease_milliseconds is {milliseconds}; it must be 1 to {MAX_LEASE_MS}"
        )
    return milliseconds


def duration(message: Message, field: str, where: str) -> int | None:
    """Return a duration in ms, or None if it is unset.

    Raises:
        InvalidArgument: It is negative.
    """
    if not message.HasField(field):
        return None
    milliseconds: int = getattr(message, field)
    if not 0 <= milliseconds <= MAX_TIME_MS:
        raise errors.InvalidArgument(f"{where}{field} must be 0 to {MAX_TIME_MS}")
    return milliseconds


def policy(request: pb.LookupRequest) -> Policy:
    """Return which entries are good enough."""
    policy_message, where = request.policy, "policy."
    return Policy(
        max_age=duration(policy_message, "max_age_milliseconds", where),
        not_before=duration(policy_message, "not_before_milliseconds", where),
        require_live=policy_message.require_live,
        verified_within=duration(policy_message, "verified_within_milliseconds", where),
    )


def claim(message: Any, where: str) -> tuple[str, bytes, str, int]:  # noqa: ANN401 - of several requests
    """Return scope, digest, holder and token of a claim that a request names."""
    return (
        scope_of(message, where),
        digest(message.digest, f"{where}digest"),
        holder(message, where),
        int(required(message, "token", where)),
    )


def components(messages: Iterable[pb.KeyComponent], where: str) -> dict[str, str]:
    """Return components by name.

    Raises:
        InvalidArgument: One has no name, or two have the same.
    """
    values: dict[str, str] = {}
    for at, component in enumerate(messages):
        field = f"{where}[{at}]"
        if not component.name:
            raise errors.InvalidArgument(f"{field}.name must not be empty")
        name = bounded(f"{field}.name", component.name)
        if name in values:
            raise errors.InvalidArgument(f"{field}.name: {name!r} is there twice")
        values[name] = text(f"{field}.value", component.value)
    return values


def parameters(values: Mapping[str, metadata_pb2.Value], where: str) -> None:
    """Check output parameters.

    Raises:
        InvalidArgument: One has no name or no value.
    """
    for name in sorted(values, key=repr):  # a map of protobuf has no order
        value = values[name]
        if not bounded(f"the name of one of {where}", name):
            raise errors.InvalidArgument(f"{where} must not have an empty name")
        if value.WhichOneof("value") is None:
            raise errors.InvalidArgument(f"{where}[{name!r}] has no value")
        text(f"{where}[{name!r}]", value.string_value)
