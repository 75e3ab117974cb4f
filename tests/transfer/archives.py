"""Archives of lines with any records, their checksums right."""

import hashlib
import json
import zlib
from pathlib import Path
from typing import Any

from lineage_store.database.bulk.files import writing


def records_of(path: Path) -> list[dict[str, Any]]:
    """Return all lines: the header, the records, the end; without checksums."""
    records = [json.loads(line) for line in path.read_bytes().splitlines()]
    return [{name: value for name, value in line.items() if name != "crc"} for line in records]


def write_records(path: Path, lines: list[Any]) -> None:
    """Write a header and records, with checksums, and the line that ends them."""
    crc, content = 0, b""
    for line in [*lines, None]:
        if line is None:
            digest = hashlib.sha256(content).hexdigest()
            line = {"end": True, "records": len(lines) - 1, "sha256": digest}  # noqa: PLW2901
        text = line if isinstance(line, bytes) else json.dumps(line, separators=(",", ":")).encode()
        crc = zlib.crc32(text[:-1], crc)
        content += b'%s,"crc":"%08x"}\n' % (text[:-1], crc)
    with writing(path):
        path.write_bytes(content)
