"""The folder of a user's own strategies, as `STRATEGIES_DIR` names it."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_settings import BaseSettings, SettingsConfigDict


def _is_folder(path: Path) -> Path:
    if not path.is_dir():
        raise ValueError(f"{path} is no folder: create it, or unset STRATEGIES_DIR")
    return path.absolute()


StrategiesDir = Annotated[Path, AfterValidator(_is_folder)]


class FolderSettings(BaseSettings):
    """Where a user's strategies lie; every process that computes signals asks for itself.

    Attributes:
        folder: `STRATEGIES_DIR`; None where there is none.
    """

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True)

    folder: StrategiesDir | None = Field(default=None, validation_alias="STRATEGIES_DIR")
