"""Errors of the simulator, named by their remedy. Each message is one line for a person."""


class SimulatorError(Exception):
    """Anything the simulator can't do as asked."""


class DataFileMissing(SimulatorError):
    """No file or directory there: correct the path."""


class DataFileUnreadable(SimulatorError):
    """The file is not a recorded day in the documented form: convert or replace it."""


class DayUnavailable(SimulatorError):
    """The day can't be played: choose one the message lists."""


class UnderlyingUnavailable(SimulatorError):
    """No data for the underlyings asked for: choose one the message lists."""


class PortUnavailable(SimulatorError):
    """The port is taken or not allowed: choose another one, or 0 for any free one."""


class SymbolUnknown(SimulatorError):
    """The market does not list that symbol."""


class ResolutionUnavailable(SimulatorError):
    """The stored candles are too coarse for the interval asked for."""
