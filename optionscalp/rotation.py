"""Keeps log files small while programs go on writing to them.

A program appends to its file and knows nothing of this: what is there is copied aside and the file
is emptied. No pipe and no process stands in between that could end; what is written in the very
instant between the two is lost.
"""

import os
import shutil
from contextlib import suppress
from pathlib import Path

LARGEST_BYTES = 10 * 2**20
KEPT = 3


def rotate(log: Path, largest: int = LARGEST_BYTES, kept: int = KEPT) -> bool:
    """Begin a file anew that has grown too large; tell whether it was.

    Args:
        log: Written to by a program that opened it to append.
        largest: Bytes.
        kept: How many earlier ones stay beside it, `NAME.1` being the newest.

    A full disk keeps the file as it is.
    """
    try:
        if log.stat().st_size <= largest:
            return False
        copy = _numbered(log, 0)
        shutil.copyfile(log, copy)
        for number in range(kept, 0, -1):
            with suppress(FileNotFoundError):
                _numbered(log, number - 1).replace(_numbered(log, number))
        os.truncate(log, 0)
    except OSError:
        with suppress(OSError):
            _numbered(log, 0).unlink(missing_ok=True)
        return False
    return True


def _numbered(log: Path, number: int) -> Path:
    return log.with_name(f"{log.name}.{number}")
