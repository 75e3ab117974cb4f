"""Runs the pipeline of the demo once, and draws the lineage of its result: docs/images/lineage.svg.

python docs/examples/lineage_picture.py [FILE]
"""

import sys
import tempfile
from pathlib import Path

from pipeline import run_pipeline

import lineage_store

PICTURE = Path(__file__).parents[1] / "images" / "lineage.svg"


def main() -> None:
    """Record the pipeline in a store of its own, walk upstream from the choice, and draw it."""
    file = Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURE
    with (
        tempfile.TemporaryDirectory(prefix="lineage-store-picture-") as home,
        lineage_store.connect(Path(home, "lineage.db")) as store,
    ):
        run_pipeline(store, Path(home), lambda _: None, depth=6)
        [choice] = store.iter_artifacts(where='uri LIKE "%/choice.json"')
        file.write_text(store.lineage(choice).upstream().to_svg(digests=False))
    print(f"wrote {file}")


if __name__ == "__main__":
    main()
