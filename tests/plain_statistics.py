"""Statistics of trades read one by one in plain Python; shares no code with the SQL."""

from math import sqrt
from statistics import median

from scipy.stats import t as student

NEEDED = 10


def interval(sums, confidence=0.95):
    """Mean and interval of trades whose sessions are given as (number, sum of values)."""
    count = sum(number for number, _ in sums)
    groups = len(sums)
    if not count:
        return None, None, None
    mean = sum(total for _, total in sums) / count
    if groups < NEEDED:
        return mean, None, None
    squares = sum((total - mean * number) ** 2 for number, total in sums)
    error = sqrt(squares * groups / (groups - 1)) / count
    # As in SQL: more than 100 degrees of freedom count as 100.
    reach = student.ppf((1 + confidence) / 2, min(groups - 1, 100)) * error
    return mean, mean - reach, mean + reach


def wilson(hits, n):
    """The textbook's form: centre and half width."""
    z, p = 1.96, hits / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return centre - half, centre + half


def by_session(trades, value):
    """Number and sum by session, of what a function gives of each trade."""
    sums = {}
    for trade in trades:
        number, total = sums.get(trade["session"], (0, 0.0))
        sums[trade["session"]] = number + 1, total + value(trade)
    return list(sums.values())


def statistics(trades, comparisons):
    """What `signal_statistics` says of one version at one horizon.

    Trades ascend by time: session, points, lot, hit, and draws as (points, hit).
    """
    matched = [trade for trade in trades if trade["draws"]]
    hits = sum(trade["hit"] for trade in trades)
    rate, low, high = interval(by_session(trades, lambda trade: trade["hit"]))
    if low is not None:
        least, most = wilson(hits, len(trades))
        low, high = max(0, min(low, least)), min(1, max(high, most))

    def difference(trade):
        draws = [points for points, _ in trade["draws"]]
        return trade["points"] - sum(draws) / len(draws)

    def hit_difference(trade):
        return trade["hit"] - sum(hit for _, hit in trade["draws"]) / len(trade["draws"])

    mean, mean_low, mean_high = interval(by_session(trades, lambda trade: trade["points"]))
    apart, apart_low, apart_high = interval(by_session(matched, difference))
    _, adjusted_low, adjusted_high = interval(
        by_session(matched, difference), 1 - 0.05 / comparisons
    )
    hit_apart, hit_low, hit_high = interval(by_session(matched, hit_difference))
    points = [trade["points"] for trade in trades]
    lost = -sum(one for one in points if one < 0)
    drawdown, run, worst = falls(points)
    return {
        "n": len(trades),
        "hit_rate": rate,
        "hit_rate_low": low,
        "hit_rate_high": high,
        "mean_return_points": mean,
        "mean_return_low": mean_low,
        "mean_return_high": mean_high,
        "median_return_points": median(points),
        "profit_factor": sum(one for one in points if one > 0) / lost if lost else None,
        "total_points": sum(points),
        "total_rupees": sum(trade["points"] * trade["lot"] for trade in trades),
        "hits": hits,
        "hits_that_lost": sum(trade["hit"] and trade["points"] <= 0 for trade in trades),
        "drawdown_points": drawdown,
        "losing_run": run,
        "worst_run_points": worst,
        "random_n": sum(len(trade["draws"]) for trade in matched),
        "matched_n": len(matched),
        "difference_points": apart,
        "difference_low": apart_low,
        "difference_high": apart_high,
        "adjusted_low": adjusted_low,
        "adjusted_high": adjusted_high,
        "hit_difference": hit_apart,
        "hit_difference_low": hit_low,
        "hit_difference_high": hit_high,
        "verdict": verdict(matched, adjusted_low, adjusted_high),
    }


def verdict(matched, low, high):
    if not matched:
        return "no_draws"
    if low is None:
        return "few_sessions"
    return "better" if low > 0 else "worse" if high < 0 else "same"


def falls(points):
    """Deepest fall below the highest point so far, longest losing run, most lost in one run."""
    equity = peak = deepest = lost = most = 0.0
    run = longest = 0
    for one in points:
        equity += one
        peak = max(peak, equity)
        deepest = max(deepest, peak - equity)
        run, lost = (run + 1, lost - one) if one < 0 else (0, 0.0)
        longest, most = max(longest, run), max(most, lost)
    return deepest, longest, most
