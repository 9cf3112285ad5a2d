"""Settings of the ingestion, read once from the environment at the entry point."""

from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from pipelines.sources.tradingview.client import DEFAULT_URL as TRADINGVIEW_URL
from pipelines.sources.trendlyne.client import DEFAULT_URL as TRENDLYNE_URL
from strategy.clock import MarketClock
from strategy.contract import UNDERLYINGS


class Settings(BaseSettings):
    """Where the sources and the database are, and how widely to look around ATM."""

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True)

    database_url: SecretStr
    tradingview_url: str = TRADINGVIEW_URL
    tradingview_token: SecretStr | None = None
    trendlyne_url: str = TRENDLYNE_URL
    underlyings: Annotated[tuple[str, ...], NoDecode] = UNDERLYINGS
    optionscalp_clock: str | None = None
    optionscalp_source: str | None = None
    # Strikes on each side of ATM whose candles, and whose build-ups, are fetched.
    candle_wings: int = Field(default=5, ge=1)
    build_up_wings: int = Field(default=2, ge=1)
    # How long the states of forming candles are kept, in days of the market's clock.
    forming_days: int = Field(default=7, ge=1)
    # What all processes together ask of a host, in market time.
    trendlyne_requests_per_second: float = Field(default=3.0, gt=0)
    tradingview_requests_per_second: float = Field(default=10.0, gt=0)
    # Of one run's histories: websockets at once, and chart sessions at once on each.
    tradingview_connections: int = Field(default=2, ge=1)
    tradingview_parallel: int = Field(default=4, ge=1)
    history_adapter: Literal["session", "tvdatafeed"] = "session"

    @field_validator("underlyings", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        names = value
        if isinstance(value, str):
            names = tuple(dict.fromkeys(name.strip() for name in value.split(",")))
        if isinstance(names, tuple) and (unknown := set(names) - set(UNDERLYINGS)):
            raise ValueError(
                f"unknown {', '.join(sorted(unknown))}; known: {', '.join(UNDERLYINGS)}"
            )
        return names

    @field_validator("optionscalp_clock")
    @classmethod
    def _is_clock(cls, value: str | None) -> str | None:
        MarketClock.parse(value)
        return value

    @property
    def clock(self) -> MarketClock:
        """What time it is in the market."""
        return MarketClock.parse(self.optionscalp_clock)

    def label(self, source: str) -> str:
        """Return what to store as source: `simulator` when the market is simulated."""
        return self.optionscalp_source or source


def fault_line(error: ValidationError) -> str:
    """Return one line that names each wrong variable and what is allowed."""
    return "; ".join(
        f"{'.'.join(map(str, fault['loc'])).upper()}: {fault['msg']}" for fault in error.errors()
    )
