"""Printed values of recorded answers, as rows by place."""

import ast
from pathlib import Path
from typing import Any

BUILD_UPS = "trendlyne_buildup5_banknifty_future_2026-01-21.txt"


def recorded_rows(shared_data: Path) -> list[list[Any]]:
    """Return the build-up rows of a future as recorded: values by place, newest first."""
    lines = (shared_data / "payloads" / BUILD_UPS).read_text().splitlines()
    return [ast.literal_eval(line) for line in lines if line.startswith("[")]
