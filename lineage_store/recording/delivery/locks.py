"""Locks on open files, which end with the process that holds them."""

import os
import sys

if sys.platform == "win32":
    import msvcrt

    _FAR = 2**40  # a place that no file reaches: others can't read the bytes that are locked

    def try_lock(fd: int) -> bool:
        """Lock an open file; return False if another one has it."""
        at = os.lseek(fd, 0, os.SEEK_CUR)
        os.lseek(fd, _FAR, os.SEEK_SET)
        try:
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            os.lseek(fd, at, os.SEEK_SET)
        return True

else:
    import fcntl

    def try_lock(fd: int) -> bool:
        """Lock an open file; return False if another one has it.

        Raises:
            OSError: Files can't be locked there.
        """
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
