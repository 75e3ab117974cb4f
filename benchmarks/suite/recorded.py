"""Results as they were recorded, a file for each command."""

import json
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent.parent / "results"


def recorded(directory: Path) -> dict[str, Any]:
    """Return what the commands beside the suite have recorded, by their names."""
    return {
        name: json.loads(file.read_text())
        for name in ("lineage", "growth", "recording", "hooks")
        if (file := directory / f"{name}.json").exists()
    }


def taken_at(found: dict[str, Any] | None) -> str:
    """Return when results were recorded, for a reader."""
    if found is None:
        return "not recorded"
    return f"as recorded at {found.get('machine', found)['taken_at']}"
