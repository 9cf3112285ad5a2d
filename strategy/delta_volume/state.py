"""What one step hands to the next, and its JSON form."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple, Self


class Past(NamedTuple):
    """What counts of a contract's earlier row."""

    volume: int | None
    close: float
    known_at: datetime


class Stored(NamedTuple):
    """What the state keeps of one contract: its last row, and the window up to it."""

    open_time: datetime
    close: float
    open_interest: int | None
    window: tuple[Past, ...]  # oldest first, the last row included


@dataclass(frozen=True)
class State:
    """What the next step of one underlying's session needs; a fresh one starts a session."""

    session: date
    underlying: str
    open_time: datetime | None = None  # of the last interval taken
    contracts: Mapping[str, Stored] = field(default_factory=dict)  # by symbol

    def to_json(self) -> dict[str, Any]:
        """Return the state as plain JSON values."""
        return {
            "session": self.session.isoformat(),
            "underlying": self.underlying,
            "open_time": self.open_time and self.open_time.isoformat(),
            "contracts": {
                symbol: {
                    "open_time": stored.open_time.isoformat(),
                    "close": stored.close,
                    "open_interest": stored.open_interest,
                    "window": [
                        [past.volume, past.close, past.known_at.isoformat()]
                        for past in stored.window
                    ],
                }
                for symbol, stored in self.contracts.items()
            },
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Return the state that `to_json` described."""
        moment = datetime.fromisoformat
        return cls(
            date.fromisoformat(values["session"]),
            values["underlying"],
            values["open_time"] and moment(values["open_time"]),
            {
                symbol: Stored(
                    moment(stored["open_time"]),
                    stored["close"],
                    stored["open_interest"],
                    tuple(
                        Past(volume, close, moment(at)) for volume, close, at in stored["window"]
                    ),
                )
                for symbol, stored in values["contracts"].items()
            },
        )
