"""Bytes of a stream on their way to any number of clients, compressed once for all of them.

A gzip stream is a header, blocks of deflate, and a checksum of everything. Blocks that refer to
nothing before them and end at a whole byte mean the same wherever they stand, so that they are
shared as plain bytes are, and no client has a compressor, which would be 260 KiB.
"""

import struct
import zlib
from functools import cached_property

# Deflate; no name, no time, no system.
GZIP_START = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
# An empty last block.
DEFLATE_END = b"\x03\x00"


class Payload:
    """Whole events.

    Attributes:
        plain: Their text.
        events: How many of them count as sent.
    """

    def __init__(self, plain: bytes, events: int = 0) -> None:
        self.plain = plain
        self.events = events

    @cached_property
    def packed(self) -> bytes:
        """The same as blocks of deflate, made when the first client wants them."""
        # One that has seen nothing refers to nothing; the flush lets all of it be read at once.
        packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        return packer.compress(self.plain) + packer.flush(zlib.Z_SYNC_FLUSH)


class Coding:
    """How one client's stream is written: as it is."""

    __slots__ = ()
    headers: tuple[tuple[bytes, bytes], ...] = ()

    def encode(self, payload: Payload) -> bytes:
        """Return the bytes of the next payload."""
        return payload.plain

    def end(self) -> bytes:
        """Return what closes the stream."""
        return b""


class Gzip(Coding):
    """Shared blocks in a frame of the client's own."""

    __slots__ = ("_check", "_size", "_start")
    headers = ((b"content-encoding", b"gzip"),)

    def __init__(self) -> None:
        self._start = GZIP_START
        self._check = self._size = 0

    def encode(self, payload: Payload) -> bytes:
        """Return its blocks."""
        # Chromium, curl and httpx forgive a stream that lacks the checksum, `gzip -d` does not; it
        # takes a hundredth of what sending takes. Complete members in a row would do without one
        # for the whole, but browsers stop after the first.
        self._check = zlib.crc32(payload.plain, self._check)
        self._size += len(payload.plain)
        if not self._start:
            return payload.packed
        start, self._start = self._start, b""
        return start + payload.packed

    def end(self) -> bytes:
        """Return the last block and the checksum."""
        return self._start + DEFLATE_END + struct.pack("<II", self._check, self._size & 0xFFFFFFFF)


CODINGS: dict[str, type[Coding]] = {"identity": Coding, "gzip": Gzip}
