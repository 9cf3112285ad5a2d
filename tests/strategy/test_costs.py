"""What a round trip costs, computed by hand for each period."""

from datetime import date

import pytest

from strategy.costs import CHARGES, charges_on, costs_points


@pytest.mark.parametrize(
    ("session", "bought", "sold", "lot_size", "rupees"),
    [
        # One lot of 65 bought at 100 and sold at 130, 21 January 2026. Turnover 14,950.
        # Brokerage 40; exchange 14,950 x 0.03503 % = 5.236985; SEBI 0.01495; GST 18 % of
        # 45.251935 = 8.1453483; stamp 6,500 x 0.003 % = 0.195; STT 8,450 x 0.1 % = 8.45.
        (date(2026, 1, 21), 100.0, 130.0, 65, 45.251935 + 8.1453483 + 0.195 + 8.45),
        # The same on 1 April 2026: STT 0.15 % of 8,450 = 12.675.
        (date(2026, 4, 1), 100.0, 130.0, 65, 45.251935 + 8.1453483 + 0.195 + 12.675),
        # One lot of 15 on 30 September 2024: turnover 6,000. Exchange 0.05 % = 3; SEBI 0.006;
        # GST 18 % of 43.006 = 7.74108; stamp 3,000 x 0.003 % = 0.09; STT 0.0625 % = 1.875.
        (date(2024, 9, 30), 200.0, 200.0, 15, 43.006 + 7.74108 + 0.09 + 1.875),
        # A day later: exchange 2.1018, STT 0.1 % = 3.
        (date(2024, 10, 1), 200.0, 200.0, 15, 42.1078 * 1.18 + 0.09 + 3.0),
        # Bought at the smallest price and worthless: brokerage and its GST remain.
        (date(2026, 1, 21), 0.0, 0.0, 65, 47.2),
    ],
)
def test_costs_are_those_of_one_lot_per_unit(session, bought, sold, lot_size, rupees):
    points = costs_points(charges_on(session), bought, sold, lot_size)
    assert points * lot_size == pytest.approx(rupees, abs=1e-9)


def test_before_the_first_known_charges_there_are_none():
    assert charges_on(date(2023, 3, 31)) is None
    assert charges_on(date(2023, 4, 1)) == CHARGES[0]
    assert [charges.since for charges in CHARGES] == sorted(c.since for c in CHARGES)
