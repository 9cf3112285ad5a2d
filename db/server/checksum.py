"""A checksum at a backup's end: any damage is found before anything is restored.

`pg_restore` finds the parts of its file by their places and does not look behind them, so that the
file stays one that it reads without us.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from db.server.errors import BackupError

# What is done, and how much there is of it; the function that is yielded takes how much is done.
Progress = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]

TRAILER = b"\nOptionScalp backup, SHA-256 of all before this line: %b\n"
LENGTH = len(TRAILER % bytes(64))
WHOLE = re.compile(re.escape(TRAILER).replace(b"%b", b"([0-9a-f]{64})"), re.DOTALL)
# What is left of a trailer that was cut or damaged itself.
REMAINS = (b"OptionScalp backup", b"SHA-256 of all", b"all before this line")
PIECE_BYTES = 2**20


def seal(file: Path, progress: Progress) -> None:
    """Append a file's checksum to it."""
    digest = _digest(file, file.stat().st_size, progress)
    with file.open("ab") as written:
        written.write(TRAILER % digest)


def is_verified(file: Path, progress: Progress) -> bool:
    """Tell whether a file is as it was sealed; False where it never was, as `pg_dump` leaves it.

    Raises:
        BackupError: It is not, or cannot be read.
    """
    try:
        size = file.stat().st_size
        with file.open("rb") as opened:
            opened.seek(max(size - LENGTH, 0))
            end = opened.read()
        sealed = WHOLE.fullmatch(end)
        if sealed and _digest(file, size - LENGTH, progress) == sealed[1]:
            return True
    except OSError as error:
        raise BackupError(
            f"{file} is no backup that can be read: {error.strerror or error}"
        ) from error
    if sealed or any(part in end for part in REMAINS):
        raise BackupError(
            f"{file} is damaged: it is not what its checksum says. Nothing was restored: use"
            " another copy or an earlier backup"
        )
    return False


def _digest(file: Path, size: int, progress: Progress) -> bytes:
    digest, done = sha256(), 0
    with file.open("rb") as opened, progress("checking the file", size) as told:
        for piece in _pieces(opened, size):
            digest.update(piece)
            done += len(piece)
            told(done)
    return digest.hexdigest().encode()


def _pieces(opened: BinaryIO, size: int) -> Iterator[bytes]:
    while size > 0 and (piece := opened.read(min(size, PIECE_BYTES))):
        size -= len(piece)
        yield piece
