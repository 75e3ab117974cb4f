"""A short fuzz run, and the findings of longer ones."""

import pytest

from tests.fuzz.calling import NEVER
from tests.fuzz.running import DATABASES, replayed, run

SECONDS = 8

_filter = b"SUBSTR(name, -9223372036854775807) = ''"
LISTING = b"\x0a\x02A0\x1a" + bytes([len(_filter) + 2, 0x22, len(_filter)]) + _filter
_map = b"\x2a\x05\x0a\x01a\x12\x00" + b"\x2a\x06\x0a\x02\xff\xfe\x12\x00"
MAP = bytes([0x0A, len(_map)]) + _map
FOUND = {
    "a map with a key that is not UTF-8 among others": (
        "/ml_metadata.MetadataStoreService/PutContexts",
        MAP.hex(),
    ),
    "a method that gRPC's health service describes and lacks": ("/grpc.health.v1.Health/List", ""),
    "a refusal of the database, and then a look whether the listing is empty": (
        "/ml_metadata.MetadataStoreService/GetArtifactsByType",
        LISTING.hex(),
    ),
}


@pytest.mark.long
@pytest.mark.timeout(120)
def test_a_short_run_on_sqlite_finds_nothing(tmp_path):
    report = run(tmp_path, "sqlite", SECONDS, seed=7)
    print("\n".join(report.lines()))
    assert report.is_clean, list(report.lines())
    assert report.requests > 100 * SECONDS
    assert report.tally.statuses["OK"] > report.requests / 4


@pytest.mark.parametrize("database", DATABASES)
@pytest.mark.parametrize("name", FOUND)
def test_what_was_found_is_answered(tmp_path, database, name):
    path, encoded = FOUND[name]
    answer = replayed(tmp_path, database, path, bytes.fromhex(encoded))
    assert answer.status not in NEVER
    assert "Traceback" not in answer.details
