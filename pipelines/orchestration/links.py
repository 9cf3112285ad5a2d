"""Addresses of the chart server's pages, for run metadata and alerts."""

from datetime import date
from urllib.parse import urlencode

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class ChartAddress(BaseSettings):
    """Where people open the pages.

    Attributes:
        url: `CHART_URL`, where it is not this machine's loopback address.
        host: `CHART_HOST`, what the chart server binds to.
        port: `CHART_PORT`.
    """

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True)

    url: str | None = Field(default=None, pattern=r"^https?://[^/]", validation_alias="CHART_URL")
    host: str = Field(default="127.0.0.1", validation_alias="CHART_HOST")
    port: int = Field(default=8000, ge=0, le=65535, validation_alias="CHART_PORT")

    @property
    def base(self) -> str:
        """The address without a slash at its end."""
        if self.url:
            return self.url.rstrip("/")
        host = "127.0.0.1" if self.host in {"0.0.0.0", "::"} else self.host
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"


def replay_url(underlying: str, session: date) -> str:
    """Return the address of a session's replay."""
    query = urlencode({"underlying": underlying, "from": session, "to": session})
    return f"{ChartAddress().base}/replay?{query}"
