"""Runs a command of ours and prints to standard error the most memory that it held, in KiB.

Files that the system keeps in memory on its own account, mapped or not, are not in it.
"""

import re
import sys
import threading
from pathlib import Path

from lineage_store.cli.group import cli

STATUS = Path("/proc/self/status")
peak = 0
stop = threading.Event()


def watch() -> None:
    global peak  # noqa: PLW0603 - a script
    while not stop.wait(0.02):
        match = re.search(r"RssAnon:\s+(\d+) kB", STATUS.read_text())
        peak = max(peak, int(match.group(1)))


watcher = threading.Thread(target=watch)
watcher.start()
try:
    cli(sys.argv[1:])
finally:
    stop.set()
    watcher.join()
    print(peak, file=sys.stderr)
