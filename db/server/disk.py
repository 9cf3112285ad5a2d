"""Whether the disk with the embedded server's data is full, which a stopped server cannot say."""

import errno
import os
from pathlib import Path

# PostgreSQL wants 16 MB at once for its log of changes, and stops where it does not get them.
LEAST_FREE_BYTES = 2 * 16 * 2**20
FULL = "The disk is full"


def free_bytes(folder: Path) -> int | None:
    """Return what is free where a folder lies; None where there is no such folder."""
    try:
        told = os.statvfs(folder)
    except OSError:
        return None
    return 0 if told.f_files and not told.f_favail else told.f_bavail * told.f_frsize


def data_is_full(home: Path) -> str | None:
    """Return a line about the disk of the embedded server of a home that is full; None if not."""
    folder = home / "postgres"
    free = free_bytes(folder)
    if free is None or free >= LEAST_FREE_BYTES:
        return None
    return f"{FULL}: {free // 1_000_000} MB are free under {folder}"


def tells_of_full_disk(error: BaseException) -> bool:
    """Tell whether an error says that no space is left on a disk."""
    left = getattr(error, "sqlstate", None) == "53100" or getattr(error, "errno", 0) == errno.ENOSPC
    return left or "No space left on device" in str(error)
