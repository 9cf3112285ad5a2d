"""How much of the server one client may take, from the environment."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Limits(BaseSettings):
    """What a request, an address and a client may take.

    A client is a login, else an address. Every attribute is a variable `CHART_<NAME>`.

    Attributes:
        request_bytes: A request's head and body together.
        request_seconds: For all of a request to arrive, from its first byte.
        connections: Of all clients together, as far as the system's limit of open files allows.
        connections_per_address: A proxy that `CHART_TRUSTED_PROXY` names has no such limit.
        streams_per_client: Live streams at a time.
        replays_per_client: Replay streams at a time.
        replay_rows_per_second: What a replay stream sends at most, whatever its `speed`.
        requests_per_client: Answered at a time; more wait for their turn.
        waiting_per_client: How many may wait.
        login_days: After which a login ends.
        login_idle_days: Without a request, after which it ends.
    """

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True, populate_by_name=True)

    request_bytes: int = Field(16_384, ge=1024, le=65_536, validation_alias="CHART_REQUEST_BYTES")
    request_seconds: float = Field(10, gt=0, le=300, validation_alias="CHART_REQUEST_SECONDS")
    connections: int = Field(10_000, ge=1, validation_alias="CHART_CONNECTIONS")
    connections_per_address: int = Field(
        250, ge=1, validation_alias="CHART_CONNECTIONS_PER_ADDRESS"
    )
    streams_per_client: int = Field(30, ge=1, validation_alias="CHART_STREAMS_PER_CLIENT")
    replays_per_client: int = Field(4, ge=1, validation_alias="CHART_REPLAYS_PER_CLIENT")
    replay_rows_per_second: int = Field(
        5_000, ge=100, validation_alias="CHART_REPLAY_ROWS_PER_SECOND"
    )
    requests_per_client: int = Field(4, ge=1, validation_alias="CHART_REQUESTS_PER_CLIENT")
    waiting_per_client: int = Field(100, ge=0, validation_alias="CHART_WAITING_PER_CLIENT")
    login_days: float = Field(30, gt=0, le=3650, validation_alias="CHART_LOGIN_DAYS")
    login_idle_days: float = Field(7, gt=0, le=3650, validation_alias="CHART_LOGIN_IDLE_DAYS")
