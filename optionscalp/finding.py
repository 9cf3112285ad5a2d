"""What `optionscalp doctor` finds."""

from typing import NamedTuple


class Finding(NamedTuple):
    """One thing looked at; `remedy` is empty when all is well."""

    what: str
    found: str
    remedy: str = ""
    fatal: bool = True

    @property
    def state(self) -> str:
        """`ok`, `warning` or `error`."""
        if not self.remedy:
            return "ok"
        return "error" if self.fatal else "warning"
