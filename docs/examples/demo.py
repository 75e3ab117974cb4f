"""A real pipeline: record it, skip unchanged steps, and ask where the models came from.

Run it with `make demo`, or:  python docs/examples/demo.py [DIRECTORY]

Eight steps turn made-up customers into two trained models and a choice between them.
They run three times on one embedded store (`lineage.db`). The second time nothing is new, and
nothing runs. The third time one parameter is new: the steps that depend on that parameter run, and
the store says why. Then the demo opens the store again, and prints answers from there.
"""

import shlex
import sys
import tempfile
from pathlib import Path

from pipeline import run_pipeline
from report import Ticker, print_impact, print_lineage

import lineage_store


def main() -> None:
    """Run the pipeline three times, then ask the store about the last run."""
    if len(sys.argv) > 1:
        directory = Path(sys.argv[1])
        directory.mkdir(parents=True, exist_ok=True)
    else:
        directory = Path(tempfile.mkdtemp(prefix="lineage-store-demo-"))
    file = directory / "lineage.db"
    with lineage_store.connect(file) as store:
        with Ticker("First run", store) as tick:
            run_pipeline(store, directory, tick, depth=6)
        with Ticker("The same again", store) as tick:
            run_pipeline(store, directory, tick, depth=6)
        with Ticker("The same with a forest of depth 3", store) as tick:
            run = run_pipeline(store, directory, tick, depth=3)
    with lineage_store.connect(file) as store:
        best = print_lineage(store, run)
        print_impact(store, run)
    command = shlex.quote(str(Path(sys.executable).with_name("lineage-store")))
    store_file = shlex.quote(str(file))
    print(f"\nThe files and the store are in {directory}")
    print("To look further, paste one of these commands:")
    print(f"  {command} runs show --store {store_file}")
    print(f"  {command} lineage {best} --store {store_file}")


if __name__ == "__main__":
    main()
