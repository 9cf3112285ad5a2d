"""What faults make of Trendlyne's answers: responses, chains and build-up rows. Pure."""

import json
from collections.abc import Callable, Iterable
from datetime import datetime, time
from typing import Any

from starlette.responses import Response

from simulator.build_ups import build_up_rows
from simulator.faults import Faults
from simulator.market import Market, units_per_lot
from simulator.poison import KINDS, UNPACKED_MEGABYTES, bomb, poisoned
from strategy.contract import Contract
from strategy.session import session_hours

PAGE = "<!DOCTYPE html><html><title>Trendlyne (simulated)</title><h1>Something else</h1></html>"
STATUSES = {"http-403": 403, "http-429": 429, "http-500": 500, "html": 200}
CHAIN_COUNTS = ("Oi", "PrevOi", "OiChange")
OI_NAMES = ("open_interest", "oi")
Row = dict[str, Any]


def spoiled_response(faults: Faults, now: datetime, target: str) -> Response | None:
    """Return what is answered instead; None where the answer itself is."""
    for kind, status in STATUSES.items():
        if faults.strike(kind, now, target):
            return Response(PAGE, status, media_type="text/html")
    if faults.strike("empty-answer", now, target):
        return Response(b"", media_type="application/json")
    return None


def poisoned_response(turn: int, answer: bytes, too_long: Row) -> Response:
    """Return what comes in place of an answer of JSON; each turn another kind.

    Args:
        turn: Counted on by one with each answer.
        answer: What a faultless source gives.
        too_long: An error of that source with a text of megabytes.
    """
    packed = {"Content-Encoding": "gzip"}
    odd = (
        lambda: Response(json.dumps(too_long), media_type="application/json"),
        lambda: Response(bomb(), media_type="application/json", headers=packed),
        lambda: Response(bomb(), media_type="application/gzip"),
        lambda: Response(answer, media_type="application/json", headers=packed),
        lambda: Response(bytes(UNPACKED_MEGABYTES * 10**6), media_type="application/json"),
    )
    kind = turn % (len(odd) + len(KINDS))
    if kind < len(odd):
        return odd[kind]()
    return Response(poisoned(kind - len(odd), answer), media_type="application/json")


def spoiled_chain(faults: Faults, now: datetime, contract: Contract, body: Row) -> Row:
    """Return a chain's body with the counts of its rows as the active faults leave them.

    Args:
        faults: Those of the simulator.
        now: Its market time.
        contract: Any of the chain.
        body: What a faultless source answers.
    """
    rows: dict[str, Row] = body["oiData"]
    if faults.strike("percent", now, contract.underlying):
        rows = {strike: row | _percents(row) for strike, row in rows.items()}
    if faults.strike("lots", now, contract.underlying):
        names = [side + name for side in ("call", "put") for name in CHAIN_COUNTS]
        rows = {strike: _in_lots(row, names, contract) for strike, row in rows.items()}
    if faults.strike("unordered", now, contract.underlying):
        rows = dict(_shuffled(list(rows.items())))
    return body | {"oiData": rows}


def spoiled_option_chain(
    faults: Faults, now: datetime, underlying: str, rows: list[Row]
) -> list[Row]:
    """Return a whole chain's rows, by the columns' names, as the active faults leave them.

    Args:
        faults: Those of the simulator.
        now: Its market time.
        underlying: Whose chain.
        rows: What a faultless source answers.
    """
    if faults.strike("percent", now, underlying):
        names = [(f"open_interest_{side}", f"oi_change_{side}") for side in ("call", "put")]
        rows = [row | {oi: _fraction(row[change]) for oi, change in names} for row in rows]
    if faults.strike("null-price", now, underlying):
        rows = [row | dict.fromkeys(("current_price_call", "current_price_put")) for row in rows]
    return _shuffled(rows) if faults.strike("unordered", now, underlying) else rows


def spoiled_build_ups(
    faults: Faults, now: datetime, contract: Contract, market: Market, rows: list[Row]
) -> Row:
    """Return a body with a contract's rows as the active faults leave them.

    Args:
        faults: Those of the simulator.
        now: Its market time.
        contract: Whose rows.
        market: The day, for what the session before is made of.
        rows: What a faultless source answers, newest first.
    """

    def strikes(kind: str) -> bool:
        return faults.strike(kind, now, contract.symbol)

    if strikes("wrong-date") or strikes("stale-rows"):
        rows = _session_before(market, contract.symbol)
    if missing := faults.find("missing-row", now, contract.symbol):
        gone = _first_end(rows, missing.start)
        rows = [row for row in rows if row["interval"][-5:] != gone]
    if priceless := faults.find("null-price", now, contract.symbol):
        bare = _first_end(rows, priceless.start)
        nothing: Row = {"close_price": None, "buildup": None}
        rows = [row | nothing if row["interval"][-5:] == bare else row for row in rows]
    if strikes("percent"):
        rows = [row | dict.fromkeys(OI_NAMES, _fraction(row["oi_change"])) for row in rows]
    if strikes("lots"):
        names = (*OI_NAMES, "oi_change_gross", "volume_gross")
        rows = [_in_lots(row, names, contract) for row in rows]
    return _misshapen(strikes, rows)


def _misshapen(strikes: Callable[[str], bool], rows: list[Row]) -> Row:
    if strikes("duplicate-row"):
        rows = rows[: len(rows) // 2 + 1] + rows[len(rows) // 2 :]
    if strikes("unordered"):
        rows = _shuffled(rows)
    if strikes("oi-name"):
        rows = [{key: row[key] for key in row if key != "oi"} for row in rows]
    return {"data": rows} if strikes("old-shape") else {"data_v2": rows}


def _first_end(rows: list[Row], start: time) -> str:
    """Return the end of the first interval that ends at or after a time; empty where none does."""
    ends = (row["interval"][-5:] for row in rows)
    return min((end for end in ends if end >= f"{start:%H:%M}"), default="")


def _session_before(market: Market, symbol: str) -> list[Row]:
    """Return the rows of a whole other day: this one's mirrored, as only it is in the market."""
    close = session_hours(market.day)[1]
    rows = build_up_rows(market, symbol, close, 0, forming=False)
    mirrored = zip(rows, rows[::-1], strict=True)
    return [other | {"interval": row["interval"]} for row, other in mirrored]


def _shuffled(rows: list[Any]) -> list[Any]:
    return rows[1::2] + rows[::2]


def _in_lots(row: Row, names: Iterable[str], contract: Contract) -> Row:
    lot = units_per_lot(contract)
    return row | {name: row[name] // lot for name in names}


def _percents(row: Row) -> Row:
    return {f"{side}Oi": _fraction(row[f"{side}OiChangeP"]) for side in ("call", "put")}


def _fraction(percent: float) -> float:
    """Return a percentage that is never whole."""
    return int(abs(percent)) + 0.25
