"""Imports a database of ML Metadata and dies by SIGKILL just before its n-th commit.

python killed_import.py SOURCE TARGET N
"""

import os
import signal
import sys
from itertools import count

from lineage_store.database.connection import Connection
from lineage_store.transfer.mlmd.findings import Findings
from lineage_store.transfer.mlmd.importing import import_mlmd

source, target, last = sys.argv[1:]
commits = count(1)
commit = Connection.commit


def commit_or_die(self):
    if next(commits) == int(last):
        os.kill(os.getpid(), signal.SIGKILL)
    commit(self)


Connection.commit = commit_or_die
import_mlmd(source, target, Findings())
