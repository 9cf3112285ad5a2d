"""A source's words as they are kept and shown: short, one line, and text that can be stored. Pure.

The bytes themselves stay in the archive: what is escaped or cut off here can be read there.
"""

LONGEST_BYTES = 1000
# PostgreSQL's text takes no NUL, and a log or a page no character that moves its cursor.
_ESCAPES = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))}
_ESCAPES |= dict.fromkeys(map(ord, "\t\n\r"), " ") | {0x2028: " ", 0x2029: " "}


def brief(words: str) -> str:
    """Return words with what cannot be stored or shown escaped, and at most 1 kB of them."""
    # No character grows to more than ten, and none is less than a byte.
    text = words[:LONGEST_BYTES].translate(_ESCAPES)
    stored = text.encode(errors="backslashreplace")
    if len(words) <= LONGEST_BYTES and len(stored) <= LONGEST_BYTES:
        return stored.decode()
    told = f"… ({len(words):,} characters in all)"
    start = stored[: LONGEST_BYTES - len(told.encode())]
    return start.decode(errors="ignore") + told
