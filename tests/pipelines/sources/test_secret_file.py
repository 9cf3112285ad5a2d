"""Files of tokens and cookies, whatever they turn out to be."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.sources.secret_file import LARGEST_BYTES, read_secret


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _zeros(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _large(path: Path) -> None:
    path.write_bytes(b"x" * (LARGEST_BYTES + 1))


def _largest(path: Path) -> None:
    path.write_bytes(b"x" * LARGEST_BYTES)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (_pipe, "no regular file"),
        (_zeros, "no regular file"),
        (Path.mkdir, "directory"),
        (_large, "larger"),
        (lambda _: None, "No such file"),
    ],
)
def test_what_is_no_file_of_a_token_is_told_at_once(
    tmp_path: Path, make: Callable[[Path], None], said: str
):
    make(tmp_path / "token")
    with pytest.raises(OSError, match=said):
        read_secret(tmp_path / "token")


def test_a_link_to_a_file_is_read_and_the_largest_too(tmp_path: Path):
    _largest(tmp_path / "file")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    assert len(read_secret(tmp_path / "link")) == LARGEST_BYTES
