"""A real pipeline, recorded step by step, and then asked where its models came from.

Run it with `make demo`, or:  python docs/examples/demo.py [DIRECTORY]

Six steps turn a data set that comes with scikit-learn into two trained models and a choice between
them. Each step is recorded in an embedded store (`lineage.db`) with its parameters, the version of
its code, and the SHA-256 of everything it read and wrote. Then the store is opened again, and all
that is printed comes from there.
"""

import sys
import tempfile
from pathlib import Path

from pipeline import run_pipeline
from report import print_impact, print_lineage, print_run

import lineage_store


def main() -> None:
    """Record a run, then print what the store knows of it."""
    if len(sys.argv) > 1:
        directory = Path(sys.argv[1])
        directory.mkdir(parents=True, exist_ok=True)
    else:
        directory = Path(tempfile.mkdtemp(prefix="lineage-store-demo-"))
    url = f"sqlite:///{directory / 'lineage.db'}"
    with lineage_store.connect(url) as store:
        run_name = run_pipeline(store, directory)
    with lineage_store.connect(url) as store:
        print_run(store, run_name)
        print_lineage(store, run_name)
        print_impact(store, run_name)
    print(f"\nThe files and the store are in {directory}")
    print(f"Look further:  lineage-store lineage Model/{run_name}/forest.joblib --store {url}")


if __name__ == "__main__":
    main()
