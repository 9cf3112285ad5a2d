"""A file of tokens or cookies, read so that nothing it might be can hold us up."""

import errno
import os
import stat
from pathlib import Path

# A browser's cookies of all sites are some hundred kilobytes.
LARGEST_BYTES = 2**20


def read_secret(path: Path) -> str:
    """Return a file's text.

    Raises:
        OSError: It cannot be read, is no regular file (a pipe would keep us waiting), or is larger
            than a megabyte.
        UnicodeDecodeError: It is no UTF-8.
    """
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
        found = os.fstat(file.fileno())
        if stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "It is no regular file")
        body = file.read(LARGEST_BYTES + 1)
    if len(body) > LARGEST_BYTES:
        raise OSError(errno.EFBIG, "It is larger than a megabyte")
    return body.decode()
