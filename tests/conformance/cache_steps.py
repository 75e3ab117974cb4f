"""Steps and lookups of the cache, as plain values, for all tests of CacheService."""

import hashlib
from typing import Any

from lineage_store.v1 import cache_pb2
from lineage_store.v1 import metadata_pb2 as pb

KEY = bytes(range(32))
COMPLETE, RUNNING, FAILED = pb.Execution.COMPLETE, pb.Execution.RUNNING, pb.Execution.FAILED
CACHED, NEW = pb.Execution.CACHED, pb.Execution.NEW
Miss = cache_pb2.LookupResult.Miss


def key(name: str) -> bytes:
    """Return a key."""
    return hashlib.sha256(name.encode()).digest()


def artifact(uri: str = "m", **fields: Any) -> dict[str, Any]:
    return {"type": "Model", "uri": uri, **fields}


def output(name: str = "model", index: int = 0, **fields: Any) -> dict[str, Any]:
    return {"name": name, "index": index, "artifact": artifact(), **fields}


def tied(artifact_id: int, name: str, index: int = 0) -> dict[str, Any]:
    """Return an input or output that is there already."""
    return {"name": name, "index": index, "artifact": {"id": artifact_id}}


def step(
    name: str = "run/train/0", digest: bytes | None = KEY, state: int = COMPLETE, **fields: Any
) -> dict[str, Any]:
    """Return a step with one output, which publishes unless `digest` is None."""
    defaults: dict[str, Any] = {
        "key": name,
        "create_types": True,
        "execution": {"type": "Train", "last_known_state": state},
        "outputs": [output()],
    }
    if digest is not None:
        defaults["cache"] = {"digest": digest}
    return defaults | fields


def record(call: Any, *args: Any, **fields: Any) -> Any:
    return call("RecordStep", step=step(*args, **fields))


def record_cached(call: Any, name: str, entry_id: int, **fields: Any) -> Any:
    cached = {"key": name, "create_types": True, "execution": {"type": "Train"}, **fields}
    return call("RecordCached", step=cached, entry_id=entry_id)


def lookup(call: Any, *digests: bytes, **fields: Any) -> list[Any]:
    keys = [{"digest": digest} for digest in digests]
    return list(call("Lookup", keys=keys, **fields).results)


def outcome(call: Any, digest: bytes = KEY, **fields: Any) -> str:
    """Return "hit", "in_flight", or the reason of a miss."""
    [result] = lookup(call, digest, **fields)
    if result.HasField("miss"):
        assert result.miss.detail
        return Miss.Reason.Name(result.miss.reason)
    return str(result.WhichOneof("outcome"))


def claim(call: Any, holder: str = "a", digest: bytes = KEY, **fields: Any) -> Any:
    return call("Claim", digest=digest, holder=holder, **fields)
