"""What the clients of both sources need to know about an address."""

from ipaddress import ip_address
from urllib.parse import urlsplit

# HTTP answers that only a person can change: log in, slow down, stop.
REFUSALS = (401, 403, 429)


def is_loopback(url: str) -> bool:
    """Tell whether an address is on this computer, so that no proxy may stand in between."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
