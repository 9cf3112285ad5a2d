"""Errors of the strategy package, named by their remedy."""


class FrameContractError(ValueError):
    """A frame breaks the documented contract: fix the caller, never the rows silently."""


class CalendarUnknownError(LookupError):
    """The calendar has no facts for that date: extend `strategy.session` from NSE's circular."""
