"""Delta Volume read rule by rule from docs/strategy.md: plain Python, per contract and interval.

It shares nothing with the vectorised code but the calendar, so that a mistake has to be made
twice to go unseen. The benchmark runs it as the reference.
"""

import uuid
from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

FIVE_MINUTES = timedelta(minutes=5)
IST = ZoneInfo("Asia/Kolkata")
AUCTION_FROM = date(2026, 8, 3)
STOPS = {"NIFTY": 20, "BANKNIFTY": 30}
NAMESPACE = uuid.UUID("5b0c7d3e-6a0f-5e0a-9c56-3f1a7f0f6d11")


def records(frame):
    """Rows of a frame as dicts of plain Python values, None for every kind of null."""
    columns = {}
    for name in frame.columns:
        times = str(frame[name].dtype).startswith("datetime64")
        values = frame[name].dt.to_pydatetime() if times else frame[name].tolist()
        missing = frame[name].isna()
        columns[name] = [
            None if null else value for value, null in zip(values, missing, strict=True)
        ]
    return [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]


def in_session(day, open_time):
    """Whether an interval lies within that session's trading hours."""
    close = time(15, 40) if day >= AUCTION_FROM else time(15, 30)
    local = open_time.astimezone(IST)
    return local.date() == day and time(9, 15) <= local.time() < close


def contract_verdicts(rows):
    """What one contract did in each interval that has a row and the row before it."""
    verdicts = {}
    stored = []
    for open_time in sorted(rows):
        row = rows[open_time]
        before = rows.get(open_time - FIVE_MINUTES)
        if before is not None:
            verdicts[open_time] = one_verdict(row, before, stored[-9:])
        stored.append(row)
    return verdicts


def one_verdict(row, before, window):
    price_change = row["close"] - before["close"]
    oi_change = None
    if row["open_interest"] is not None and before["open_interest"] is not None:
        oi_change = row["open_interest"] - before["open_interest"]
    if price_change == 0 or oi_change is None or oi_change == 0:
        label = "none"
    elif price_change > 0:
        label = "long_build_up" if oi_change > 0 else "short_covering"
    else:
        label = "short_build_up" if oi_change > 0 else "long_unwinding"
    volumes = [earlier["volume"] for earlier in window if earlier["volume"] is not None]
    mean = sum(volumes) / len(volumes) if len(volumes) >= 3 else None
    volume = row["volume"]
    spike = volume is not None and mean is not None and volume > 2.0 * mean
    delta = None
    if volume is not None:
        delta = volume if price_change > 0 else -volume if price_change < 0 else 0
    return {
        "symbol": row["symbol"],
        "strike": row["strike"],
        "option_type": row["option_type"],
        "close": row["close"],
        "price_change": round(price_change, 6),
        "open_interest": row["open_interest"],
        "oi_change": oi_change,
        "volume": volume,
        "mean_volume": mean,
        "volume_spike": spike,
        "label": label,
        "delta_volume": delta,
        "covering": spike and label == "short_covering",
        "known_at": max([row["known_at"], *[earlier["known_at"] for earlier in window]]),
    }


def cluster_strikes(ladder, price):
    """ATM and the strikes next to it; None where the ladder ends."""
    best = None
    for place, strike in enumerate(ladder):
        if best is None or abs(strike - price) < abs(ladder[best] - price):
            best = place
    below = ladder[best - 1] if best > 0 else None
    above = ladder[best + 1] if best + 1 < len(ladder) else None
    return [below, ladder[best], above]


def evaluate(build_ups, reference, contracts):
    """Signals and rejections as lists of dicts, from rows as lists of dicts."""
    ladders = defaultdict(set)
    for row in contracts:
        ladders[row["underlying"], row["expiry"]].add((row["strike"], row["first_seen"]))
    days = defaultdict(lambda: defaultdict(dict))
    expiries = {}
    for row in build_ups:
        day = row["session"], row["underlying"]
        if in_session(row["session"], row["open_time"]):
            days[day][row["strike"], row["option_type"]][row["open_time"]] = row
            expiries[day] = row["expiry"]
    references = defaultdict(dict)
    for row in reference:
        if in_session(row["session"], row["open_time"]):
            references[row["session"], row["underlying"]][row["open_time"]] = row
    signals, rejections = [], []
    for day in sorted({*days, *references}):
        listed = ladders[day[1], expiries.get(day)]
        ladder = sorted({strike for strike, first_seen in listed if first_seen <= day[0]})
        more_signals, more_rejections = one_day(day, days[day], references[day], ladder)
        signals += more_signals
        rejections += more_rejections
    return signals, rejections


def one_day(day, contracts, references, ladder):
    session, underlying = day
    verdicts = {contract: contract_verdicts(rows) for contract, rows in contracts.items()}
    recorded = {open_time for rows in contracts.values() for open_time in rows}
    first = datetime.combine(session, time(9, 15), IST).astimezone(UTC)
    signals, rejections = [], []
    for open_time in sorted({*recorded, *references} - {first}):
        end = open_time + FIVE_MINUTES
        local = end.astimezone(IST)
        auction = session >= AUCTION_FROM and local.time() > time(15, 15)
        name = "future" if auction else "spot"
        price = references.get(open_time, {}).get(name)
        base = {
            "strategy": "delta_volume",
            "version": "1",
            "underlying": underlying,
            "session": session,
            "event_time": end.astimezone(UTC),
        }
        if price is None:
            if open_time in recorded:
                rejections.append(base | {"reason": "no_reference", "symbol": None})
            continue
        cluster = None
        if open_time in recorded and ladder:
            strikes = cluster_strikes(ladder, price)
            cluster = [
                verdicts.get((strike, kind), {}).get(open_time)
                for strike in strikes
                for kind in ("C", "P")
            ]
        if cluster is None or None in cluster:
            rejections.append(base | {"reason": "missing_rows", "symbol": None})
            continue
        known_at = max(
            references[open_time][f"{name}_known_at"], *[one["known_at"] for one in cluster]
        )
        one_signal, against = decide(base, price, name, strikes, cluster, known_at)
        signals += one_signal
        rejections += against
    return signals, rejections


def decide(base, price, name, strikes, cluster, known_at):
    atm = strikes[1]
    net = 0
    for verdict in cluster:
        if verdict["option_type"] == "C":
            net += verdict["delta_volume"] or 0
        else:
            net -= verdict["delta_volume"] or 0
    calls = [one for one in cluster if one["covering"] and one["option_type"] == "C"]
    puts = [one for one in cluster if one["covering"] and one["option_type"] == "P"]
    facts = price, name, strikes, net, cluster, known_at
    signals = []
    against = []
    if calls and net > 0:
        # The lower strike is the call in the money.
        calls_by_strike = sorted(calls, key=lambda one: one["strike"])
        bought = min(calls_by_strike, key=lambda one: abs(one["strike"] - atm))
        signals.append(signal(base, "BULLISH", bought, *facts))
    else:
        against += calls
    if puts and net < 0:
        puts_by_strike = sorted(puts, key=lambda one: one["strike"], reverse=True)
        bought = min(puts_by_strike, key=lambda one: abs(one["strike"] - atm))
        signals.append(signal(base, "BEARISH", bought, *facts))
    else:
        against += puts
    against.sort(key=lambda one: (one["strike"], one["option_type"]))
    return signals, [
        base | {"reason": "against_net_delta", "symbol": one["symbol"], "known_at": known_at}
        for one in against
    ]


def signal(base, direction, bought, price, name, strikes, net, cluster, known_at):
    key = f"delta_volume|1|{base['underlying']}|{base['event_time'].isoformat()}|{bought['symbol']}"
    ticks = round(bought["close"] * 20)
    points = STOPS[base["underlying"]]
    return base | {
        "signal_id": uuid.uuid5(NAMESPACE, key),
        "symbol": bought["symbol"],
        "direction": direction,
        "kind": "short_covering",
        "atm_strike": strikes[1],
        "spot": price,
        "net_delta_volume": net,
        "strikes": strikes,
        "entry": ticks / 20,
        "stop": max(ticks - points * 20, 1) / 20,
        "target1": (ticks + 600) / 20,
        "target2": (ticks + 1200) / 20,
        "reasons": {
            "reference": name,
            "contracts": [
                {key: value for key, value in one.items() if key != "known_at"} for one in cluster
            ],
        },
        "input_watermark": base["event_time"],
        "known_at": known_at,
    }
