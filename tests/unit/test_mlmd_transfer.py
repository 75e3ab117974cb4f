"""Parts of moving a database of ML Metadata that need no database."""

import pytest

from lineage_store.database.drivers.inserts import in_few_sizes
from lineage_store.database.mlmd.texts import read_text
from lineage_store.transfer.mlmd.findings import SHOWN, Findings
from lineage_store.transfer.mlmd.texts import shortened
from lineage_store.transfer.mlmd.verifying import merged


@pytest.mark.parametrize("text", ["", "plain", "né", "€ 日本 😀", "\x81\x8d ÿ", "Ã¼"])
def test_bytes_are_read_as_utf8_whatever_connection_wrote_them(text):
    encoded = text.encode()
    assert read_text(encoded) == (text, True)
    # As MySQL shows bytes that came over a connection in latin1: its latin1 is Windows-1252, where
    # five bytes that this lacks are the control characters of their number.
    shown = "".join(
        bytes([byte]).decode("cp1252") if byte not in b"\x81\x8d\x8f\x90\x9d" else chr(byte)
        for byte in encoded
    )
    assert read_text(shown) == (text, True)


@pytest.mark.parametrize("text", ["é", "日本", "naïve €", "\u0100"])
def test_what_another_client_wrote_to_mysql_is_what_it_looks_like(text):
    assert read_text(text) == (text, True)


def test_bytes_that_are_not_utf8_are_kept_visible():
    assert read_text(b"a\xffb\xc3") == (r"a\xffb\xc3", False)


def test_a_short_name_is_within_its_bound_and_unlike_others():
    long = ["n" * 600 + end for end in "ab"]
    first, second = (shortened(text, 512) for text in long)
    assert len(first) == len(second) == 512
    assert first != second
    assert first == shortened(long[0], 512)
    in_bytes = shortened("日" * 300, 255, lambda text: len(text.encode()))
    assert len(in_bytes.encode()) <= 255
    assert in_bytes.startswith("日" * 70)
    assert shortened("a\0b", 512) != shortened("a\0c", 512)
    assert "\0" not in shortened("a\0b", 512)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 255, 256, 257, 511, 1000])
def test_parts_are_whole_in_order_and_of_few_lengths(count):
    rows = [(number,) for number in range(count)]
    parts = list(in_few_sizes(rows))
    assert [row for part in parts for row in part] == rows
    assert {len(part) for part in parts} <= {1 << power for power in range(9)}
    assert len(parts) <= count // 256 + 8


def test_two_sides_are_compared_key_by_key():
    left = [(1, b"a"), (2, b"b"), (4, b"d")]
    right = [(2, b"b"), (3, b"c"), (4, b"x"), (5, b"e")]
    assert list(merged(left, right)) == [
        (1, "is missing"),
        (2, None),
        (3, "is not in the source"),
        (4, "differs"),
        (5, "is not in the source"),
    ]
    assert list(merged([], [])) == []


def test_findings_are_told_up_to_a_bound_and_counted_beyond():
    findings_told = []
    findings = Findings(findings_told.append)
    for number in range(SHOWN + 5):
        findings.add(f"artifact {number}", "is odd", "it is left out")
    assert findings.count == SHOWN + 5
    assert findings_told == findings.shown
    assert str(findings_told[3]) == "artifact 3: is odd; it is left out"
    assert len(findings_told) == SHOWN
