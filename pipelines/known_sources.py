"""The sources there are. Another one is a folder in `sources/`, and a line here."""

from collections.abc import Iterable

from pipelines.sources.declaration import Source
from pipelines.sources.tradingview.source import SOURCE as TRADINGVIEW
from pipelines.sources.trendlyne.source import SOURCE as TRENDLYNE
from pipelines.sources.upstox.source import SOURCE as UPSTOX

KNOWN: dict[str, Source] = {source.name: source for source in (TRADINGVIEW, TRENDLYNE, UPSTOX)}
# Without these there is nothing to work on; any other role that nobody fills is missed, and told.
NEEDED = {"listings": "lists contracts", "history": "has candles of the past"}


def names_in(text: str) -> tuple[str, ...]:
    """Return the names of a list with commas, as they stand there."""
    return tuple(name.strip() for name in text.split(","))


def fault_of(names: Iterable[str]) -> str | None:
    """Return what is wrong with a choice of sources, None if they can run a day."""
    chosen = list(names)
    if "" in chosen:
        return f"an empty name among {','.join(chosen) or 'none'}: separate names by one comma each"
    if repeated := sorted({name for name in chosen if chosen.count(name) > 1}):
        return f"{', '.join(repeated)} more than once: name each source once"
    unknown = [name for name in chosen if name not in KNOWN]
    if unknown:
        return f"unknown {', '.join(unknown)}; known: {', '.join(KNOWN)}"
    for role, does in NEEDED.items():
        if not any(role in KNOWN[name].roles for name in chosen):
            able = [name for name, source in KNOWN.items() if role in source.roles]
            return f"none of {', '.join(chosen) or 'none'} {does}: add {' or '.join(able)}"
    return None
