"""What every answer tells browsers, errors and files included."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = "content-security-policy"
# Of whatever is no page. Workers live under the policy of their own file, so it lets them ask here.
POLICY_OF_FILES = (
    "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none';"
    " form-action 'self'"
)
# No Strict-Transport-Security: only the proxy that has a certificate knows whether it may say so.
FIXED = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
WITH_POLICY = ((POLICY.encode(), POLICY_OF_FILES.encode()), *FIXED)


class SafeHeaders:
    """ASGI middleware: adds the headers; a policy that the answer has of its own stays."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = [*message.get("headers", ())]
                has_policy = any(name.lower() == POLICY.encode() for name, _ in given)
                message["headers"] = [*given, *(FIXED if has_policy else WITH_POLICY)]
            await send(message)

        await self._app(scope, receive, add)
