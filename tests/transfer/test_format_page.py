"""docs/archive-format.md describes every part of an archive."""

import json
import re
from pathlib import Path

from lineage_store.database.bulk.store_contents import content_tables
from lineage_store.transfer.archive import VERSION
from lineage_store.transfer.dumping import dump
from lineage_store.transfer.records import fields_of
from tests.transfer.archives import records_of
from tests.transfer.stores import fill

PAGE = (Path(__file__).parents[2] / "docs" / "archive-format.md").read_text(encoding="utf-8")


def test_the_members_of_each_table():
    assert f"Version {VERSION}." in PAGE
    described = {}
    for names, members, body in re.findall(r"^\| (`.+?) \| (`.*?) \|(.*)\|$", PAGE, re.MULTILINE):
        for name in re.findall(r"`(\w+)`", names):
            described[name] = re.findall(r"`(\w+)`", members) + ["body"] * bool(body.strip())
    actual = {table.name: list(fields_of(table)) for table in content_tables()}
    assert {name: sorted(members) for name, members in described.items()} == {
        name: sorted(members) for name, members in actual.items()
    }


def test_the_examples_have_the_members_of_real_lines(tmp_path):
    fill(f"sqlite:///{tmp_path}/store.db", rows=1)
    dump(f"sqlite:///{tmp_path}/store.db", tmp_path / "store.jsonl")
    header, *records, end = records_of(tmp_path / "store.jsonl")
    blocks = re.findall(r"```json\n(.*?)\n```", PAGE)
    examples = [json.loads(block.replace("…", "")) for block in blocks]
    real = [header, next(r for r in records if r["table"] == "artifacts" and "body" in r), end]
    assert [set(example) - {"crc"} for example in examples] == [set(line) for line in real]
