"""The picture of the README is the lineage of a real run of the demo's pipeline."""

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

DOCS = Path(__file__).parents[2] / "docs"


def test_the_picture_is_what_the_pipeline_records(tmp_path: Path) -> None:
    file = tmp_path / "lineage.svg"
    process = subprocess.run(
        [sys.executable, str(DOCS / "examples" / "lineage_picture.py"), str(file)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert process.returncode == 0, process.stderr
    assert file.read_text() == (DOCS / "images" / "lineage.svg").read_text()


def test_the_picture_is_well_formed_and_shows_every_step() -> None:
    picture = ET.parse(DOCS / "images" / "lineage.svg")
    texts = [element.text for element in picture.iter("{http://www.w3.org/2000/svg}text")]
    for step in ("Ingest", "Validate", "Split", "Train", "Evaluate", "Choose"):
        assert step in texts
