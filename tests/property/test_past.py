"""Every read as of a revision answers what the same read answered when it was the last."""

import random
from collections.abc import Iterator

import pytest

from lineage_store import errors
from lineage_store.client.embedded import EmbeddedTransport
from lineage_store.client.transport import Transport
from lineage_store.consistency import Consistency
from lineage_store.database.checks.checking import check
from lineage_store.wire import METHODS
from tests.backends import mariadb, postgresql
from tests.conformance.conftest import Call, request_of
from tests.property.past_histories import Fields, RandomHistory, reads

WRITES = 60


@pytest.fixture(params=["sqlite", postgresql, mariadb], ids=["sqlite", "postgresql", "mariadb"])
def url(request, tmp_path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/store.db"
        return
    with request.param.new_store() as store_url:
        yield store_url


def answered(transport: Transport, method: str, fields: Fields) -> object:
    """Return the answer to a read in a form that can be compared, errors included."""
    request = request_of(method, fields)
    try:
        if METHODS[method].server_streaming:
            return [part.SerializeToString() for part in transport.stream(method, request)]
        return transport.call(method, request).SerializeToString(deterministic=True)
    except errors.LineageError as error:
        return type(error).__name__, error.message


def recorded_by(stamp: int, method: str, fields: Fields) -> Fields | None:
    """Return a query of lineage with a bound on the record time, or None if it can't have one."""
    bound = {"recorded_by_microseconds": stamp}
    if method in {"Trace", "Summarize"} and "as_of" not in fields["walk"]:
        return {"walk": fields["walk"] | {"as_of": bound}}
    return fields | {"as_of": bound} if method in {"FindPaths", "Compare"} else None


def check_bounded(answer: object, expected: object) -> None:
    """Check an answer from the present store; it says in other words that a node was not known."""
    if isinstance(expected, tuple):
        assert isinstance(answer, tuple)
        assert answer[0] == expected[0]
    else:
        assert answer == expected


@pytest.mark.parametrize("seed", range(1, 3))
def test_reads_as_of_a_revision(url, seed):
    rng = random.Random(seed)
    transport = EmbeddedTransport(url)
    history = RandomHistory(Call(transport, dict), seed)
    past: list[tuple[str, str, Fields, object]] = []
    for _ in range(WRITES):
        history.write()
        chosen = rng.sample(reads(history.ids, rng), 6)
        past += [
            (transport.last_revision, method, fields, answered(transport, method, fields))
            for method, fields in chosen
        ]
    assert len({token for token, *_ in past}) > WRITES / 2
    # Reads of one revision lie together, as those of an audit do: its store is made once.
    for token, method, fields, expected in past:
        as_of = transport.pinned(Consistency(at=token))
        assert answered(as_of, method, fields) == expected, (token, method, fields)
        bounded = recorded_by(int(token.rpartition(".")[2]), method, fields)
        if bounded is not None:
            check_bounded(answered(transport, method, bounded), expected)
    transport.close()
    assert check(url).findings.kept_findings == []
