"""Errors of the sources, named by their remedy.

```
SourceError
├── SourceUnavailable      try again later
│   ├── SourceBroken       look at its address, if that is right it has to mend itself
│   ├── SeriesFailed       ask for that one again: the others of its connection go on
│   └── ConnectionWornOut  connect again, at once
├── SourceRefused          a person acts: token, terms, rate
│   ├── AddressWrong       correct the variable that holds it
│   ├── TokenEnded         a new token
│   └── PlanTooSmall       ask for something else, or pay: the others of a round go on
├── PayloadInvalid         the bytes stay archived; the parser or the source has to change
├── SymbolUnknown          drop the symbol from the universe
├── ResolutionUnavailable  ask for a coarser interval
├── WrongTradingDate       write nothing: the answer belongs to another session
├── SessionGone            nothing to do: what is not archived of it is lost
├── ExpiryGone             the same, for the rest of the session
└── ClockWrong             set this computer's clock
```
"""

from datetime import timedelta

from db.archive.words import brief


class SourceError(Exception):
    """Anything a source can do wrong; one text that says what happened and where.

    It holds at most 1 kB, and nothing that could not be stored: a source's own words may be in it.
    """

    def __init__(self, words: str = "") -> None:
        super().__init__(brief(words))

    @property
    def reason(self) -> str:
        """What happened, in words."""
        return str(self)


class SourceUnavailable(SourceError):
    """The source did not answer, or not in time: try again later."""


class SourceBroken(SourceUnavailable):
    """Something answers there, but not as the source does when it works."""


class SeriesFailed(SourceUnavailable):
    """The source gave up one series: it can be asked for again, and the others go on."""


class ConnectionWornOut(SourceUnavailable):
    """The connection has done its share: nothing is wrong, a new one goes on."""


class SourceRefused(SourceError):
    """The source answers that it does not want this: a person has to act.

    `status` is the HTTP status it refused with, None where it said so otherwise or was not asked.
    `retry_after` is the pause it asked for, if it did.
    """

    status: int | None = None
    retry_after: timedelta | None = None


class AddressWrong(SourceRefused):
    """Nothing can be asked at this address."""


class TokenEnded(SourceRefused):
    """The user's token is over; nothing was asked with it."""


class PlanTooSmall(SourceRefused):
    """The account is good, but its plan lacks what was asked for: other questions may go on."""


class PayloadInvalid(SourceError):
    """An answer is not of the documented shape; its archived bytes tell more.

    `body` holds the bytes where they were not archived yet.
    """

    body: bytes = b""


class SymbolUnknown(SourceError):
    """The source does not know that symbol."""


class ResolutionUnavailable(SourceError):
    """The source does not have that symbol at that interval."""


class WrongTradingDate(SourceError):
    """The source answered with another session than the one asked for."""


class SessionGone(SourceError):
    """The source serves today only, and the session is over."""


class ExpiryGone(SourceError):
    """The session's expiry is not listed any more: its contracts cannot be asked for."""


class ClockWrong(SourceError):
    """This computer's clock and the source's differ: no time that we note would be true."""
