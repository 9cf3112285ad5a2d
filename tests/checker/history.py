"""What a client received, held against what was written and what is stored."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from db.pages.change_log import Cursor

Key = tuple[str, str, int]
Value = tuple[object, ...]
Rows = Mapping[Key, Value]


class Event(NamedTuple):
    """A row that the stream brought."""

    cursor: Cursor
    key: Key
    value: Value


class Reset(NamedTuple):
    """The stream said that the history is to be read again."""

    cursor: Cursor
    reason: str


class Answer(NamedTuple):
    """A history that was read; `resumes` where the next events follow it, else the reset's id."""

    cursor: Cursor
    rows: Rows
    resumes: bool


Entry = Event | Reset | Answer


class Fault(NamedTuple):
    """What no client may ever see, and where it stands."""

    kind: str
    what: object


class Written:
    """All values that writers ever sent off, per row in their order, and which came to be kept."""

    def __init__(self) -> None:
        self._versions: dict[Key, list[Value]] = {}
        self.acknowledged: dict[Key, int] = {}

    def send(self, rows: Rows) -> None:
        """Note what is about to be written, perhaps again."""
        for key, value in rows.items():
            known = self._versions.setdefault(key, [])
            if value not in known:
                known.append(value)

    def acknowledge(self, rows: Rows) -> None:
        """Note what the database said to have stored."""
        for key, value in rows.items():
            self.acknowledged[key] = self._versions[key].index(value)

    def version(self, key: Key, value: Value | None) -> int | None:
        """Return the how-manieth value of its row this is; None for one that nobody wrote."""
        known = self._versions.get(key, [])
        return known.index(value) if value in known else None

    def is_at(self, rows: Rows, key: Key, least: int) -> bool:
        """Whether rows hold a version or a later one of a key."""
        found = self.version(key, rows.get(key))
        return found is not None and found >= least


def unkept(written: Written, stored: Rows) -> Iterator[Fault]:
    """Yield what was acknowledged and is not stored."""
    for key, version in written.acknowledged.items():
        if not written.is_at(stored, key, version):
            yield Fault("not kept", (key, stored.get(key)))


class Reading:
    """One client's history, read entry after entry."""

    def __init__(self, written: Written) -> None:
        self._written = written
        self._seen: set[int] = set()
        self._last = 0
        self._answered = 0
        self.rows: dict[Key, Value] = {}

    def read(self, entry: Entry) -> Iterator[Fault]:
        """Take an entry in; yield what is wrong with it."""
        if isinstance(entry, Event):
            yield from self._event(entry)
        elif isinstance(entry, Reset):
            self._seen, self._last, self._answered = set(), entry.cursor.seq, 0
        else:
            yield from self._answer(entry)

    def _answer(self, answer: Answer) -> Iterator[Fault]:
        for key, value in answer.rows.items():
            if self._written.version(key, value) is None:
                yield Fault("invented", ("history", key, value))
        self.rows = dict(answer.rows)
        # What the stream still brings of before the answer may be older than it.
        self._answered = answer.cursor.seq
        if answer.resumes:
            self._seen, self._last = set(), answer.cursor.seq

    def _event(self, event: Event) -> Iterator[Fault]:
        seq = event.cursor.seq
        if seq in self._seen:
            yield Fault("doubled", event)
        elif seq <= self._last:
            yield Fault("out of order", (event, self._last))
        self._seen.add(seq)
        self._last = max(self._last, seq)
        version = self._written.version(event.key, event.value)
        if version is None:
            yield Fault("invented", event)
            return
        before = self._written.version(event.key, self.rows.get(event.key))
        if before is None or version >= before:
            self.rows[event.key] = event.value
        elif seq > self._answered:
            yield Fault("out of order", (event, self.rows[event.key]))


def compare(received: Rows, stored: Rows, written: Written) -> Iterator[Fault]:
    """Yield where a client that has heard of everything differs from the tables."""
    for key in stored.keys() | received.keys():
        value, true = received.get(key), stored.get(key)
        if value == true:
            continue
        version = written.version(key, true)
        late = true is not None and (value is None or written.version(key, value) < version)
        yield Fault("lost" if late else "invented", (key, value, true))


def check(
    history: Iterable[Entry], written: Written, stored: Rows, resets_at_most: int
) -> Sequence[Fault]:
    """Return all that is wrong with what a client received, whose stream has come to its end.

    Args:
        history: In the order of receipt.
        written: What writers sent off.
        stored: The tables.
        resets_at_most: How many resets there was a reason for: any may hide a loss.
    """
    reading = Reading(written)
    entries = list(history)
    found = [fault for entry in entries for fault in reading.read(entry)]
    found += compare(reading.rows, stored, written)
    resets = [entry for entry in entries if isinstance(entry, Reset)]
    if len(resets) > resets_at_most:
        found.append(Fault("needless reset", resets))
    return found
