"""Settings of the ingestion, read once from the environment at the entry point."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from pipelines.catalogue.folder import StrategiesDir
from pipelines.known_sources import fault_of, names_in
from pipelines.sources.errors import SourceRefused
from pipelines.sources.tradingview.client import DEFAULT_URL as TRADINGVIEW_URL
from pipelines.sources.tradingview.token import TokenFile, own_token
from pipelines.sources.trendlyne.client import DEFAULT_URL as TRENDLYNE_URL
from pipelines.sources.trendlyne.cookies import VARIABLE, CookieFile
from pipelines.sources.trendlyne.site import USER_AGENT, Visitor
from pipelines.sources.upstox.client import DEFAULT_URL as UPSTOX_URL
from strategy.clock import MarketClock
from strategy.contract import UNDERLYINGS


class Settings(BaseSettings):
    """Where the sources and the database are, and how widely to look around ATM."""

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True)

    database_url: SecretStr
    # In order of preference.
    sources: Annotated[tuple[str, ...], NoDecode] = ("tradingview", "trendlyne")
    build_up_source: Literal["auto", "candles", "ladders", "rows"] = "auto"
    tradingview_url: str = TRADINGVIEW_URL
    tradingview_token: SecretStr | None = None
    # Wins over the token itself; read again when it changes.
    tradingview_token_file: Path | None = None
    trendlyne_url: str = TRENDLYNE_URL
    # How we present ourselves: a browser's, and its cookies of the site.
    trendlyne_user_agent: str = USER_AGENT
    trendlyne_cookie_file: Path | None = None
    upstox_url: str = UPSTOX_URL
    # Reread for every request: tokens end each morning.
    upstox_token_file: Path | None = None
    underlyings: Annotated[tuple[str, ...], NoDecode] = UNDERLYINGS
    # Of the user's own strategies, beside ours; each process looks into it at its start.
    strategies_dir: StrategiesDir | None = None
    optionscalp_clock: str | None = None
    optionscalp_source: str | None = None
    # Strikes on each side of ATM whose candles, and whose build-ups, are fetched.
    candle_wings: int = Field(default=5, ge=1)
    build_up_wings: int = Field(default=2, ge=1)
    # How long the states of forming candles are kept, in days of the market's clock.
    forming_days: int = Field(default=7, ge=1)
    # What all processes together ask of a host, in market time.
    trendlyne_requests_per_second: float = Field(default=3.0, gt=0)
    trendlyne_requests_per_session: int = Field(default=200, ge=1)
    tradingview_requests_per_second: float = Field(default=10.0, gt=0)
    upstox_requests_per_second: float = Field(default=8.0, gt=0)
    # Of one run's histories: websockets at once, and chart sessions at once on each.
    tradingview_connections: int = Field(default=2, ge=1)
    tradingview_parallel: int = Field(default=4, ge=1)
    # Whether signals from delayed data may alert anybody.
    allow_delayed: bool = False
    history_adapter: Literal["session", "tvdatafeed"] = "session"

    @field_validator("sources", mode="before")
    @classmethod
    def _in_order(cls, value: object) -> object:
        return names_in(value) if isinstance(value, str) else value

    @field_validator("underlyings", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return (
            tuple(dict.fromkeys(filter(None, names_in(value)))) if isinstance(value, str) else value
        )

    @field_validator("underlyings")
    @classmethod
    def _are_underlyings(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := set(names) - set(UNDERLYINGS):
            raise ValueError(
                f"unknown {', '.join(sorted(unknown))}; known: {', '.join(UNDERLYINGS)}"
            )
        return names

    @field_validator("sources")
    @classmethod
    def _can_run_a_day(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if fault := fault_of(names):
            raise ValueError(fault)
        return names

    @field_validator("tradingview_token")
    @classmethod
    def _is_own(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            own_token(value.get_secret_value())
        return value

    @field_validator("tradingview_token_file")
    @classmethod
    def _holds_a_token(cls, value: Path | None) -> Path | None:
        if value is not None:
            TokenFile(value).read()
        return value

    @field_validator("optionscalp_clock")
    @classmethod
    def _is_clock(cls, value: str | None) -> str | None:
        MarketClock.parse(value)
        return value

    @field_validator("trendlyne_user_agent")
    @classmethod
    def _is_header(cls, value: str) -> str:
        if not (value.isascii() and value.isprintable()):
            raise ValueError("a User-Agent is one line of ASCII: copy it from the browser")
        return value

    @field_validator("trendlyne_cookie_file")
    @classmethod
    def _is_readable(cls, path: Path | None) -> Path | None:
        if path is not None:
            try:
                CookieFile(path).changed()
            except SourceRefused as error:
                raise ValueError(str(error).removeprefix(f"{VARIABLE}: ")) from None
        return path

    @property
    def visitor(self) -> Visitor:
        """How we present ourselves to Trendlyne."""
        return Visitor(self.trendlyne_user_agent, self.trendlyne_cookie_file)

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
        f"{'.'.join(map(str, fault['loc'])).upper()}: {fault_text(fault['msg'])}"
        for fault in error.errors()
    )


def fault_text(message: str) -> str:
    """Return what is wrong in our own words."""
    return message.removeprefix("Value error, ")
