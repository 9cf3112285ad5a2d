"""The web application firewall before Trendlyne: so many requests, then a page for ten minutes.

It counts requests of a client, not their rate: a public client that asked serially was let through
131 to 160 times (August 2026), `so_option_chain_fetcher.py` some 160 times in two minutes. The
answers are those of AWS WAF's documentation: HTTP 405 with the action `captcha`, or 202 with
`challenge`. How fast an allowance grows back is not known; here it is whole again after the pause.
"""

from datetime import datetime, timedelta

from starlette.responses import Response

PAUSE = timedelta(minutes=10)
PAGE = (
    "<!DOCTYPE html><html><head><title>Human Verification</title></head>"
    '<body><div id="captcha-container"></div></body></html>'
)
# One refusal in so many is a challenge.
CHALLENGES = 4


class Firewall:
    """Lets each client ask so many times, then refuses for ten minutes of the market."""

    def __init__(self, allowance: int | None = None) -> None:
        """`allowance` None lets everybody through."""
        self._allowance = allowance
        self._asked: dict[str, int] = {}
        self._until: dict[str, datetime] = {}
        self._refusals = 0

    def refuses(self, client: str, now: datetime) -> bool:
        """Tell whether a client's request is refused; count it if not."""
        if self._allowance is None:
            return False
        if client in self._until:
            if now < self._until[client]:
                return True
            del self._until[client], self._asked[client]
        asked = self._asked[client] = self._asked.get(client, 0) + 1
        if asked > self._allowance:
            self._until[client] = now + PAUSE
        return asked > self._allowance

    def page(self) -> Response:
        """Return what is answered instead, in one of its two forms."""
        self._refusals += 1
        challenge = self._refusals % CHALLENGES == 0
        status, action = (202, "challenge") if challenge else (405, "captcha")
        headers = {"x-amzn-waf-action": action}
        return Response(PAGE, status, headers, media_type="text/html; charset=UTF-8")
