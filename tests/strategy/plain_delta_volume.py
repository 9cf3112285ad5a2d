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
STEPS = {"NIFTY": 50, "BANKNIFTY": 100}
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
    delta = 0
    if price_change != 0:
        delta = None if volume is None else volume if price_change > 0 else -volume
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


def cluster_strikes(ladder, price, step):
    """ATM and the strikes one usual step from it; None where one of them is not known."""
    below = [strike for strike in ladder if strike <= price]
    above = [strike for strike in ladder if strike >= price]
    if not below or not above:
        return [None, None, None]
    lower, upper = below[-1], above[0]
    atm = lower if price - lower <= upper - price else upper
    # Another usual strike would be nearer if it were known.
    if (atm == lower and price > atm + step / 2) or (atm == upper and price <= atm - step / 2):
        return [None, None, None]
    return [strike if strike in ladder else None for strike in (atm - step, atm, atm + step)]


def known_contracts(day, expiries):
    """The contracts that may be looked at in a session: since when (None: the start), and what."""
    found = []
    for expiry in sorted(expiry for expiry in expiries if expiry >= day):
        for row in expiries[expiry]:
            if row["first_seen"] < day:
                found.append((None, expiry, row["strike"], row["option_type"]))
            elif row["first_seen"] == day and row["listed_at"] is not None:
                found.append((row["listed_at"], expiry, row["strike"], row["option_type"]))
        if any(since is None for since, *_ in found):
            break
    return found


def nearest_known(known, end):
    """The nearest expiry of the contracts known by a moment, its strikes, and its contracts."""
    there = [contract for since, *contract in known if since is None or since <= end]
    nearest = min((expiry for expiry, *_ in there), default=None)
    contracts = {tuple(contract) for contract in there if contract[0] == nearest}
    return sorted({strike for _, strike, _ in contracts}), contracts


def evaluate(build_ups, reference, contracts):
    """Signals and rejections as lists of dicts, from rows as lists of dicts."""
    listed = defaultdict(lambda: defaultdict(list))
    for row in contracts:
        listed[row["underlying"]][row["expiry"]].append(row)
    days = defaultdict(lambda: defaultdict(dict))
    for row in build_ups:
        day = row["session"], row["underlying"]
        if in_session(row["session"], row["open_time"]):
            contract = row["expiry"], row["strike"], row["option_type"]
            days[day][contract][row["open_time"]] = row
    references = defaultdict(dict)
    for row in reference:
        if in_session(row["session"], row["open_time"]):
            references[row["session"], row["underlying"]][row["open_time"]] = row
    signals, rejections = [], []
    for day in sorted({*days, *references}):
        known = known_contracts(day[0], listed[day[1]])
        more_signals, more_rejections = one_day(day, days[day], references[day], known)
        signals += more_signals
        rejections += more_rejections
    return signals, rejections


def contracts_by_time(contracts):
    """Which contracts have a row in each interval."""
    recorded = defaultdict(set)
    for contract, rows in contracts.items():
        for open_time in rows:
            recorded[open_time].add(contract)
    return recorded


def cluster_verdicts(verdicts, looked_at, strikes, open_time):
    """What the cluster's contracts did; None for one without a verdict."""
    expiry = next(iter(looked_at))[0]
    contracts = [(expiry, strike, kind) for strike in strikes for kind in ("C", "P")]
    found = [
        verdicts.get(contract, {}).get(open_time) if contract in looked_at else None
        for contract in contracts
    ]
    return [one if one and one["delta_volume"] is not None else None for one in found]


def one_day(day, contracts, references, known):
    session, underlying = day
    verdicts = {contract: contract_verdicts(rows) for contract, rows in contracts.items()}
    recorded = contracts_by_time(contracts)
    changing = any(since is not None for since, *_ in known)
    ladder, looked_at = nearest_known(known, None) if not changing else ([], set())
    first = datetime.combine(session, time(9, 15), IST).astimezone(UTC)
    signals, rejections = [], []
    for open_time in sorted({*recorded, *references} - {first}):
        end = open_time + FIVE_MINUTES
        if changing:
            ladder, looked_at = nearest_known(known, end)
        local = end.astimezone(IST)
        auction = session >= AUCTION_FROM and local.time() > time(15, 15)
        name = "future" if auction else "spot"
        price = references.get(open_time, {}).get(name)
        base = {
            "strategy": "delta_volume",
            "version": "2",
            "underlying": underlying,
            "session": session,
            "event_time": end.astimezone(UTC),
        }
        there = not recorded[open_time].isdisjoint(looked_at)
        if price is None:
            if there:
                rejections.append(base | {"reason": "no_reference", "symbol": None})
            continue
        cluster = None
        if there:
            strikes = cluster_strikes(ladder, price, STEPS[underlying])
            cluster = cluster_verdicts(verdicts, looked_at, strikes, open_time)
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
            net += verdict["delta_volume"]
        else:
            net -= verdict["delta_volume"]
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
    key = f"delta_volume|2|{base['underlying']}|{base['event_time'].isoformat()}|{bought['symbol']}"
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
