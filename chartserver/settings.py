"""What the environment says, read once at the start."""

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import NoDecode

from chartserver.errors import SettingsError
from chartserver.limits import Limits
from strategy.clock import MarketClock
from strategy.contract import UNDERLYINGS

SIMULATOR = "simulator"

_HOST = re.compile(r"[A-Za-z0-9._-]+|\[?[0-9A-Fa-f:.]+\]?")


def _clock(value: Any) -> MarketClock:
    return value if isinstance(value, MarketClock) else MarketClock.parse(value)


def _names(value: Any) -> Any:
    return tuple(name.strip() for name in value.split(",")) if isinstance(value, str) else value


def _networks(value: Any) -> Any:
    try:
        return tuple(str(ipaddress.ip_network(name, strict=False)) for name in _names(value))
    except ValueError as error:
        raise ValueError(f"needs addresses or networks such as 10.0.0.0/8: {error}") from None


def _hosts(value: Any) -> Any:
    names = _names(value)
    for name in names:
        if not _HOST.fullmatch(name):
            raise ValueError(f"{name!r} is no name such as desk.example: no scheme, no port")
    return names


def _secret_in(path: Path) -> str:
    try:
        secret = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise ValueError(f"CHART_TOKEN_FILE {path} cannot be read: {reason}") from None
    if not secret:
        raise ValueError(f"CHART_TOKEN_FILE {path} is empty: put the token into it")
    return secret


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach a bind address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Settings(Limits):
    """One frozen object per process; limits of clients are among it.

    Attributes:
        database_url: `DATABASE_URL`; None means the embedded server of `home`.
        home: `OPTIONSCALP_HOME`.
        host: `CHART_HOST`.
        port: `CHART_PORT`; 0 takes any free one.
        token: `CHART_TOKEN`, or what the file named by `CHART_TOKEN_FILE` holds; pages and APIs ask
            for it once.
        allowed_hosts: `CHART_ALLOWED_HOSTS`; names the pages may be asked by, besides those of
            loopback and `host`.
        trusted_proxy: `CHART_TRUSTED_PROXY`; addresses and networks whose `X-Forwarded-For` and
            `X-Forwarded-Proto` count.
        listen: `CHART_LISTEN`; false where a transaction pooler makes LISTEN useless. Changes then
            show within a second instead of at once.
        serves_stored: `CHART_SERVES_STORED`; set by `optionscalp serve`: only what is stored is
            shown, no feed runs and no source is asked, so none is missed.
        clock: `OPTIONSCALP_CLOCK`.
        source: `OPTIONSCALP_SOURCE`; `simulator` makes every page say so.
        underlyings: `UNDERLYINGS`; the first is shown where a request names none.
    """

    database_url: SecretStr | None = Field(default=None, validation_alias="DATABASE_URL")
    home: Path = Field(default=Path(".optionscalp"), validation_alias="OPTIONSCALP_HOME")
    host: str = Field(default="127.0.0.1", validation_alias="CHART_HOST")
    port: int = Field(default=8000, ge=0, le=65535, validation_alias="CHART_PORT")
    token: SecretStr | None = Field(default=None, validation_alias="CHART_TOKEN")
    token_file: Path | None = Field(default=None, validation_alias="CHART_TOKEN_FILE")
    allowed_hosts: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_hosts)] = Field(
        default=(), validation_alias="CHART_ALLOWED_HOSTS"
    )
    trusted_proxy: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_networks)] = Field(
        default=(), validation_alias="CHART_TRUSTED_PROXY"
    )
    listen: bool = Field(default=True, validation_alias="CHART_LISTEN")
    serves_stored: bool = Field(default=False, validation_alias="CHART_SERVES_STORED")
    clock: Annotated[MarketClock, NoDecode, BeforeValidator(_clock)] = Field(
        default=MarketClock.real(), validation_alias="OPTIONSCALP_CLOCK"
    )
    source: str | None = Field(default=None, validation_alias="OPTIONSCALP_SOURCE")
    underlyings: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_names)] = Field(
        default=UNDERLYINGS, min_length=1, validation_alias="UNDERLYINGS"
    )

    @model_validator(mode="before")
    @classmethod
    def _from_file(cls, values: dict[str, Any]) -> dict[str, Any]:
        path = values.get("CHART_TOKEN_FILE") or values.get("token_file")
        return values | {"CHART_TOKEN": _secret_in(Path(path))} if path else values

    @model_validator(mode="after")
    def _guarded(self) -> Self:
        if self.token is None and not is_loopback(self.host):
            raise ValueError(
                f"CHART_HOST {self.host} lets other machines in: set CHART_TOKEN to a secret of"
                " your own, or CHART_HOST to 127.0.0.1"
            )
        unknown = set(self.underlyings) - set(UNDERLYINGS)
        if unknown:
            raise ValueError(
                f"UNDERLYINGS has {', '.join(sorted(unknown))}; known: {', '.join(UNDERLYINGS)}"
            )
        return self

    @property
    def proxy_networks(self) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
        """The trusted proxies as networks."""
        return [ipaddress.ip_network(name) for name in self.trusted_proxy]

    @property
    def simulated(self) -> bool:
        """Whether the rows shown come from the simulator."""
        return self.source == SIMULATOR


def read_settings() -> Settings:
    """Return the settings of this process.

    Raises:
        SettingsError: A variable has no usable value; the message names it.
    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        reason = first["msg"].removeprefix("Value error, ")
        raise SettingsError(f"{name}: {reason}" if name else reason) from None
