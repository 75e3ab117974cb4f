"""Where the servers of the tests keep their data."""

import os
import tempfile
from pathlib import Path


def new_home(purpose: str) -> Path:
    """Return a directory for the data of servers; tables are made faster in memory.

    LINEAGE_TEST_DATABASES says where it is to be instead.
    """
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    place = os.environ.get("LINEAGE_TEST_DATABASES", memory)
    home = Path(tempfile.mkdtemp(prefix=f"lineage-{purpose}-", dir=place))
    home.chmod(0o755)
    return home
