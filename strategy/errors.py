"""Errors of the strategy package, named by their remedy."""


class FrameContractError(ValueError):
    """A frame breaks the documented contract: fix the caller, never the rows silently."""


class CalendarUnknownError(LookupError):
    """The calendar has no facts for that date: add them as docs/calendar.md says."""


class ExpiryUnlistedError(LookupError):
    """The source lists no expiry at that position: ask for a nearer one."""


class ParameterError(ValueError):
    """A strategy has no such number, or it makes no sense: the message says which are allowed."""
