"""Files and directories that only their owner may read: they hold records."""

import os
from contextlib import suppress
from pathlib import Path

FILE_MODE = 0o600
DIRECTORY_MODE = 0o700


def make_private_file(path: Path) -> None:
    """Create an empty file for its owner alone; one that is there is not touched.

    To open and close a file would release the locks that this process has on it, such as those of
    SQLite.

    Raises:
        OSError: It can't be created.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    with suppress(FileExistsError):
        os.close(os.open(path, flags, FILE_MODE))


def make_private_directory(path: Path) -> None:
    """Create a directory and those above it for their owner alone, unless they are there.

    Raises:
        OSError: One can't be created.
    """
    if path.is_dir():
        return
    if path.parent != path:
        make_private_directory(path.parent)
    path.mkdir(mode=DIRECTORY_MODE, exist_ok=True)
