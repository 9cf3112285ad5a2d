"""A rule in its simplest form: one function over one minute, prices in rupees.

`docs/strategies.md` shows one. Batch, steps and restarts are made of it. What it remembers of the
session is a dictionary of JSON values that is its own, to be changed as it likes.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from strategy import minute_candles
from strategy.contract import OptionType, parse_symbol
from strategy.minute_candles import Candle, Order, Outcomes, minute_strategy, paise, rupees, to_tick
from strategy.parameters import Parameters, number
from strategy.session import IST
from strategy.strategy import Strategy


@dataclass(frozen=True)
class RuleParameters(Parameters):
    """Base of a rule's parameters; levels lie on the grid of `tick_size` rupees."""

    tick_size: float = number(0.05, least=0.01)


class Bar(NamedTuple):
    """One final minute of the index or of an option: rupees, and units."""

    symbol: str
    open: float
    high: float
    low: float
    close: float
    volume: int | None  # None where unknown, as an index's always is

    @classmethod
    def of(cls, candle: Candle) -> "Bar":
        """Return a candle in rupees."""
        prices = (candle.open, candle.high, candle.low, candle.close)
        volume = candle.volume if candle.volume_known else None
        return cls._make((candle.symbol, *map(rupees, prices), volume))


@dataclass
class Minute:
    """One minute of one underlying; None for a contract that is not stored.

    Attributes:
        underlying: NIFTY or BANKNIFTY.
        time: The minute's end in India: nothing later is known.
        number: Minutes from the open to its start.
        index: The index.
        strike: At the money.
        call: The call at that strike.
        put: The put.
    """

    underlying: str
    time: datetime
    number: int
    index: Bar
    strike: int
    call: Bar | None
    put: Bar | None
    _options: Mapping[str, Candle] = field(repr=False)
    _known_at: int = field(repr=False)

    def option(self, strike: int, kind: OptionType) -> Bar | None:
        """Return another option of the expiry of the call and put, of type C or P."""
        stored = self.call or self.put
        contract = stored and parse_symbol(stored.symbol)
        if contract is None:
            return None
        candle = self._options.get(contract._replace(strike=strike, option_type=kind).symbol)
        if candle is None:
            return None
        self._known_at = max(self._known_at, candle.known_at)
        return Bar.of(candle)

    @property
    def known_at(self) -> int:
        """Since when all is known that was looked at, in microseconds."""
        return self._known_at


class Buy(NamedTuple):
    """What a rule wants: to buy the call or the put at the money.

    Attributes:
        bar: `minute.call` or `minute.put`.
        stop: Below the entry, rupees.
        target: Above it.
        second_target: Above that; None for one target.
        above: Bought when the price rises to it; None buys at the minute's close.
        reasons: The values that led to it, to be stored as JSON.
    """

    bar: Bar
    stop: float
    target: float
    second_target: float | None = None
    above: float | None = None
    reasons: Mapping[str, Any] = {}


Numbers = TypeVar("Numbers", bound=RuleParameters)


def rule(
    name: str,
    version: str,
    defaults: Numbers,
    decide: Callable[[Minute, dict[str, Any], Numbers], Iterable[Buy] | None],
) -> Strategy:
    """Return the strategy of a rule.

    A signal is known when everything is that the rule was shown in the session so far: it may
    remember any of it.

    Args:
        name: As stored with every signal.
        version: Of the code: another one whenever the same rows may give other signals.
        defaults: Its parameters.
        decide: The minute, what the rule remembers, and its parameters, to what it buys. It is
            asked about minutes with something at the money.
    """

    def step(
        memory: Mapping[str, Any] | None, minute: minute_candles.Minute, numbers: Numbers
    ) -> tuple[Mapping[str, Any] | None, Outcomes]:
        if minute.atm is None:
            return memory, []
        before = memory or {"known_at": 0, "own": {}}
        own = deepcopy(before["own"])
        shown = _shown(minute, minute.atm, before["known_at"])
        bought = list(decide(shown, own, numbers) or ())
        after = {"known_at": shown.known_at, "own": own}
        return after, list(_signals(name, minute.atm, bought, shown.known_at, numbers))

    return minute_strategy(name, version, defaults, None, step)


def _shown(minute: minute_candles.Minute, atm: minute_candles.Atm, known_before: int) -> Minute:
    seen = [candle for candle in (atm.spot, atm.call, atm.put) if candle]
    return Minute(
        atm.moment.underlying,
        atm.moment.event_time.astimezone(IST),
        minute.slot,
        Bar.of(atm.spot),
        atm.strike,
        atm.call and Bar.of(atm.call),
        atm.put and Bar.of(atm.put),
        minute.options,
        max(known_before, *(candle.known_at for candle in seen)),
    )


def _signals(
    kind: str, atm: minute_candles.Atm, bought: list[Buy], known_at: int, numbers: RuleParameters
) -> Iterator[Any]:
    def level(price: float) -> int:
        return to_tick(paise(price), paise(numbers.tick_size))

    for buy in bought:
        candle = next((one for one in (atm.call, atm.put) if one and Bar.of(one) == buy.bar), None)
        if candle is None:
            raise ValueError(f"buys what is not at the money: {buy.bar}")
        order = Order(
            candle,
            "market" if buy.above is None else "stop",
            level(buy.bar.close if buy.above is None else buy.above),
            max(level(buy.stop), paise(numbers.tick_size)),
            level(buy.target),
            None if buy.second_target is None else level(buy.second_target),
        )
        reasons = {"contract": candle.prices(), "index_close": rupees(atm.spot.close)}
        yield minute_candles.signal(
            atm, kind, order, reasons | dict(buy.reasons), known_at, numbers
        )
