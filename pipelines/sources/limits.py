"""What can be true of this market: beyond it a number is a fault of whoever sent it. Pure.

Far above all that was ever traded, and low enough that rows, and sums of them over years, fit the
types of their columns.
"""

from datetime import UTC, date, datetime

from pipelines.sources.errors import PayloadInvalid

HIGHEST_PRICE = 10_000_000.0  # rupees, of anything, and of a strike
MOST_UNITS = 10**12  # traded or held
LARGEST_LOT = 1_000_000
# A symbol names its year by two digits.
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2099, 12, 31)
LAST_SECOND = datetime(2100, 1, 1, tzinfo=UTC).timestamp() - 1


def price(found: float, where: str) -> float:
    """Return rupees as they are.

    Raises:
        PayloadInvalid: They are too many; `where` names the place.
    """
    if abs(found) > HIGHEST_PRICE:
        raise PayloadInvalid(f"{where}: {found:g} is no price of this market")
    return found


def units(found: float, where: str) -> int:
    """Return a count of units, which has to be whole and not negative.

    Raises:
        PayloadInvalid: It is not, or too large.
    """
    if not 0 <= found <= MOST_UNITS or not float(found).is_integer():
        raise PayloadInvalid(f"{where}: {found:g} is no count of units")
    return int(found)


def strike(found: float, where: str) -> int:
    """Return a strike in whole rupees.

    Raises:
        PayloadInvalid: It is none.
    """
    if not 0 < found <= HIGHEST_PRICE or not float(found).is_integer():
        raise PayloadInvalid(f"{where}: {found:g} is no strike")
    return int(found)


def day(found: date, where: str) -> date:
    """Return a date of this century.

    Raises:
        PayloadInvalid: It is of another one.
    """
    if not FIRST_DAY <= found <= LAST_DAY:
        raise PayloadInvalid(f"{where}: {found.isoformat()} is no day of this century")
    return found


def moment(epoch_seconds: float, where: str) -> datetime:
    """Return an instant from 1970 on, UTC.

    Raises:
        PayloadInvalid: The seconds name none.
    """
    if not 0 <= epoch_seconds <= LAST_SECOND:
        raise PayloadInvalid(f"{where}: {epoch_seconds:g} is no time")
    return datetime.fromtimestamp(epoch_seconds, UTC)


def instant(found: datetime, where: str) -> datetime:
    """Return an instant in UTC, of one that has an offset and lies in this century.

    Raises:
        PayloadInvalid: It has none, or lies elsewhere.
    """
    if found.tzinfo is None:
        raise PayloadInvalid(f"{where}: {found.isoformat()} has no offset")
    day(found.date(), where)
    return found.astimezone(UTC)
