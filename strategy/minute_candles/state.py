"""What one minute's step hands to the next."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Self


@dataclass(frozen=True)
class State:
    """Where one underlying's session stands; `memory` is the strategy's own, of JSON values."""

    session: date
    underlying: str
    open_time: datetime | None = None  # of the last minute taken
    memory: Any = None  # None before the first minute

    def to_json(self) -> dict[str, Any]:
        """Return the state as plain JSON values."""
        return {
            "session": self.session.isoformat(),
            "underlying": self.underlying,
            "open_time": self.open_time and self.open_time.isoformat(),
            "memory": self.memory,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Return the state that `to_json` described."""
        return cls(
            date.fromisoformat(values["session"]),
            values["underlying"],
            values["open_time"] and datetime.fromisoformat(values["open_time"]),
            values["memory"],
        )
