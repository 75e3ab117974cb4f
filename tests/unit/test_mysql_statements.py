"""Statements of MySQL are split and judged by the bytes that are sent."""

import pytest

from lineage_store.database import tables
from lineage_store.database.drivers import mysql_statements as statements
from lineage_store.database.sizes import RowTooLarge
from lineage_store.database.statements import ListStatement, slots
from lineage_store.database.tables import columns_of
from lineage_store.kinds import ARTIFACT, EXECUTION

TABLE = tables.nodes[EXECUTION]
COLUMNS = columns_of(TABLE)
PACKET = 256 * 1024


def row(body: bytes, node_id: int = 1) -> tuple:
    return (node_id, 10, "n'\\", None, 3, 1, 1, 1, 1, body)


def parts(rows, packet=PACKET):
    return list(statements.inserts(TABLE, COLUMNS, rows, packet, ""))


def packet_of(part) -> bytes:
    text, arguments = part
    return text.encode() % tuple(arguments)


@pytest.mark.parametrize("byte", [b"a", b"'", b"\\", b"\0", b"\xff"])
@pytest.mark.parametrize("size", [0, 1, 1_000, 30_000])
def test_every_part_fits_into_a_packet(byte, size):
    rows = [row(byte * size, i) for i in range(1, 100)]
    statements_and_rows = parts(rows)
    assert sum(len(arguments) for _, arguments in statements_and_rows) == len(rows)
    assert (
        max(len(packet_of(part)) for part in statements_and_rows)
        <= PACKET - statements.PACKET_RESERVE
    )


@pytest.mark.parametrize("byte", [b"a", b"'", b"\\", b"\0"])
def test_the_largest_row_fits_whatever_must_be_escaped(byte):
    most = statements.max_row_bytes(PACKET)
    [part] = parts([row(byte * most)])
    assert len(packet_of(part)) <= PACKET - statements.PACKET_RESERVE


def test_a_row_that_does_not_fit_is_named():
    with pytest.raises(RowTooLarge) as caught:
        parts([row(b"a"), row(b"b" * PACKET)])
    assert f"a row of executions has {PACKET} bytes (body {PACKET})" in str(caught.value)
    assert f"max_allowed_packet is {PACKET}" in str(caught.value)


def test_bodies_are_not_doubled():
    [part] = parts([row(bytes(range(256)) * 400)])
    assert len(packet_of(part)) < 1.02 * 256 * 400


def test_a_row_counts_all_its_texts():
    artifact = (1, 10, None, None, "u" * PACKET, 1, None, 1, 1, 1, 1, b"")
    columns = columns_of(tables.nodes[ARTIFACT])
    with pytest.raises(RowTooLarge, match="uri"):
        list(statements.inserts(tables.nodes[ARTIFACT], columns, [artifact], PACKET, ""))


def test_a_list_of_long_texts_is_split_and_filled_up_with_the_shortest():
    node = tables.nodes[ARTIFACT]
    by_name = ListStatement(lambda n: node.select().where(node.c.name.in_(slots(n))))
    long = [str(i) * 500_000 for i in range(5)]
    chunks = by_name.chunks([*long, "short"])
    values = [list(named.values()) for _, named in chunks]
    assert {v for part in values for v in part} == {*long, "short"}
    assert max(sum(map(len, part)) for part in values) <= 2 * 1024 * 1024
