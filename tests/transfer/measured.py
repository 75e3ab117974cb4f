"""Runs a command of ours and prints to standard error the most memory that it took, in KiB."""

import resource
import sys

from lineage_store.cli.main import cli

try:
    cli(sys.argv[1:])
finally:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
