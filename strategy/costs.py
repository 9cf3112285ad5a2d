"""What a round trip in one option costs, by date. Sources are in docs/outcomes.md."""

from datetime import date
from typing import NamedTuple


class Charges(NamedTuple):
    """Rates of premium turnover, and rupees per order, in force from a date on."""

    since: date
    brokerage: float  # rupees per order
    exchange: float  # of both sides
    sebi: float  # of both sides
    stamp_duty: float  # of what is bought
    transaction_tax: float  # of what is sold
    gst: float  # of brokerage, exchange charge and SEBI's fee


# Ascending. Before the first date nothing is known here, so nothing is computed.
CHARGES = (
    Charges(date(2023, 4, 1), 20.0, 0.0005, 0.000001, 0.00003, 0.000625, 0.18),
    Charges(date(2024, 10, 1), 20.0, 0.0003503, 0.000001, 0.00003, 0.001, 0.18),
    Charges(date(2026, 4, 1), 20.0, 0.0003503, 0.000001, 0.00003, 0.0015, 0.18),
)


def charges_on(session: date) -> Charges | None:
    """Return the charges of a session; None where they are not known."""
    return next((charges for charges in reversed(CHARGES) if charges.since <= session), None)


def costs_points(charges: Charges, bought: float, sold: float, lot_size: int) -> float:
    """Return what one lot's purchase and sale cost, in points of premium per unit.

    Args:
        charges: Of the session.
        bought: Price, rupees.
        sold: Price, rupees.
        lot_size: Units, over which the brokerage of both orders is spread.
    """
    turnover = bought + sold
    services = (
        2 * charges.brokerage / lot_size + charges.exchange * turnover + charges.sebi * turnover
    )
    taxes = charges.stamp_duty * bought + charges.transaction_tax * sold
    return services * (1 + charges.gst) + taxes
