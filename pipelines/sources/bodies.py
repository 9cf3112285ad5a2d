"""The bytes of an answer: how many of them are read, also of what is packed. Pure."""

import zlib

from pipelines.sources.errors import PayloadInvalid

LARGEST = 16 * 2**20  # many times what any question is answered with
# A file of all instruments has some forty million bytes.
LARGEST_FILE = 96 * 2**20
_GZIP = 16 + zlib.MAX_WBITS


def unzipped(body: bytes, largest: int = LARGEST) -> bytes:
    """Return what was packed with gzip, without ever holding more than `largest` bytes.

    Raises:
        PayloadInvalid: It is not packed so, it is cut, or it holds more; with the bytes.
    """
    parts: list[bytes] = []
    left, packed = largest, body
    while packed or not parts:
        unpacking = zlib.decompressobj(_GZIP)
        try:
            parts.append(unpacking.decompress(packed, left + 1))
        except zlib.error as error:
            raise invalid(f"not gzip: {error}", body) from error
        left -= len(parts[-1])
        if left < 0:
            raise invalid(f"{len(body):,} bytes of gzip hold more than {largest:,}", body)
        if not unpacking.eof:
            raise invalid("gzip ends too early", body)
        packed = unpacking.unused_data
    return b"".join(parts)


def invalid(words: str, body: bytes) -> PayloadInvalid:
    """Return the error of an answer whose bytes were not archived yet."""
    error = PayloadInvalid(words)
    error.body = body
    return error
