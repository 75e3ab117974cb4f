"""Walks from a digest, on every database, right after the artifacts were put."""

import pytest

from lineage_store import errors
from lineage_store.client.embedded import EmbeddedTransport
from lineage_store.database.queries import digests
from lineage_store.lineage.identity import DIGEST_PROPERTIES
from lineage_store.v1 import lineage_pb2
from lineage_store.v1 import metadata_pb2 as pb

HEX = "0123456789abcdef" * 4


def selected(call, digest, kind=lineage_pb2.ARTIFACT):
    walk = {"start": {"kind": kind, "digest": digest}, "max_hops": 0}
    parts = call.stream("Trace", walk=walk)
    return [artifact.id for part in parts for artifact in part.artifacts]


def test_every_property_that_holds_digests_counts(call):
    declared = call.type(name="Data", properties=dict.fromkeys(DIGEST_PROPERTIES, pb.STRING))
    nodes = []
    for at, name in enumerate(DIGEST_PROPERTIES):
        where = "properties" if at % 2 else "custom_properties"
        front = "" if name.startswith(("sha", "md5")) else "md5:"
        nodes.append({"type_id": declared, where: {name: front + HEX[:32]}})
    ids = call.put("artifact", *nodes)
    md5 = [ids[at] for at, name in enumerate(DIGEST_PROPERTIES) if not name.startswith("sha")]
    assert selected(call, f"md5:{HEX[:32]}") == md5
    assert selected(call, HEX[:32]) == ids
    assert selected(call, "md5:012345") == md5
    sha1 = DIGEST_PROPERTIES.index("sha1")
    assert selected(call, "sha1:01234567") == [ids[sha1]]


def test_only_the_digest_that_counts_is_compared(call):
    data = call.type(name="Data")
    both = {"digest": f"sha256:{HEX}", "sha256": "f" * 64}
    [first] = call.put("artifact", {"type_id": data, "custom_properties": both})
    upper = {"checksum": f"SHA256={HEX.upper()}"}
    [second] = call.put("artifact", {"type_id": data, "custom_properties": upper})
    assert selected(call, f"sha256:{HEX}") == [first, second]
    with pytest.raises(errors.NotFound, match="no artifact has the digest"):
        selected(call, "sha256:" + "f" * 64)


def test_an_update_changes_what_is_found(call):
    data = call.type(name="Data")
    old, new = f"sha256:{HEX}", f"sha256:{HEX[::-1]}"
    [one] = call.put("artifact", {"type_id": data, "custom_properties": {"digest": old}})
    assert selected(call, old) == [one]
    call.put("artifact", {"id": one, "type_id": data, "custom_properties": {"digest": new}})
    assert selected(call, new) == [one]
    with pytest.raises(errors.NotFound):
        selected(call, old)


@pytest.mark.parametrize(
    ("digest", "kind", "message"),
    [
        ("x", lineage_pb2.ARTIFACT, "is no digest"),
        ("0123", lineage_pb2.ARTIFACT, "too short"),
        (HEX, lineage_pb2.EXECUTION, "only artifacts have a digest"),
    ],
)
def test_what_is_refused(call, digest, kind, message):
    with call.refused(errors.InvalidArgument, message):
        selected(call, digest, kind)


def test_the_index_serves_the_look_up(call):
    """Of SQLite the unit tests look at the plan; of the others, their own words are looked at."""
    if not isinstance(call.transport, EmbeddedTransport):
        pytest.skip("the plan is looked at within the process")
    data = call.type(name="Data")
    properties = {"digest": f"sha256:{HEX}", "other": "x"}
    call.put("artifact", *[{"type_id": data, "custom_properties": properties} for _ in range(300)])
    selected(call, HEX)  # from here on everything is indexed
    database = call.transport._engine._database
    names = DIGEST_PROPERTIES
    for chunks in (
        digests._equal(names).chunks(["sha256:a", "a"]),
        digests._between(names).chunks([("a", "ag"), ("b", "bg")]),
    ):
        [(statement, values)] = chunks
        sql, arguments = statement.render(database._driver.dialect, values)
        assert "ix_artifact_properties_string_value" in explained(database, sql, arguments)


def explained(database, sql, arguments):
    """Return the plan of a statement as text."""

    def job(snapshot):
        cursor = snapshot.connection._raw.cursor()
        if database._driver.dialect.name == "sqlite":
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}", arguments)
        else:
            if database._driver.dialect.name == "postgresql":
                cursor.execute("SET LOCAL enable_seqscan = off")  # the table is small
            cursor.execute(f"EXPLAIN {sql}", arguments)
        return "\n".join(str(row) for row in cursor.fetchall())

    return database.read(job)
