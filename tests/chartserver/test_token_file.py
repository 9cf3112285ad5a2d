"""`CHART_TOKEN_FILE`: the token from a file, so that it stands in no environment."""

from pathlib import Path

import pytest

from chartserver.errors import SettingsError
from chartserver.settings import read_settings


@pytest.fixture
def named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that the environment names; not written yet."""
    path = tmp_path / "chart token"
    monkeypatch.setenv("CHART_TOKEN_FILE", str(path))
    monkeypatch.delenv("CHART_TOKEN", raising=False)
    return path


def test_a_file_holds_the_token(named: Path) -> None:
    named.write_text("of the file\n")
    assert read_settings().token.get_secret_value() == "of the file"


def test_the_file_wins_and_lets_other_machines_in(
    named: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named.write_text("of the file")
    monkeypatch.setenv("CHART_TOKEN", "of the environment")
    monkeypatch.setenv("CHART_HOST", "0.0.0.0")
    assert read_settings().token.get_secret_value() == "of the file"


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "cannot be read: No such file"), (b" \n", "is empty"), (b"\xff\xfe", "is no text")],
)
def test_a_file_without_a_token_is_one_clear_line(
    named: Path, content: bytes | None, reason: str
) -> None:
    if content is not None:
        named.write_bytes(content)
    with pytest.raises(SettingsError, match=reason) as caught:
        read_settings()
    assert str(named) in str(caught.value)


def test_an_empty_variable_names_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHART_TOKEN_FILE", "")
    monkeypatch.setenv("CHART_TOKEN", "of the environment")
    assert read_settings().token.get_secret_value() == "of the environment"
