"""Log files that grow while programs write to them."""

import sys
from pathlib import Path

import pytest

from optionscalp.parts import Part
from optionscalp.rotation import rotate


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_log_that_is_too_large_is_kept_aside_and_begun_anew(tmp_path: Path):
    log = tmp_path / "feed.log"
    with log.open("ab", buffering=0) as program:
        for number in range(6):
            program.write(f"{number}".encode() * 20)
            assert rotate(log, largest=10, kept=3)
            assert log.stat().st_size == 0
        program.write(b"six")
        assert not rotate(log, largest=10, kept=3)
    assert names(tmp_path) == ["feed.log", "feed.log.1", "feed.log.2", "feed.log.3"]
    assert log.read_text() == "six"
    assert [(tmp_path / f"feed.log.{n}").read_text()[:1] for n in (1, 2, 3)] == ["5", "4", "3"]


def test_a_log_that_cannot_be_copied_stays_as_it_is(tmp_path: Path):
    log = tmp_path / "feed.log"
    log.write_text("a" * 20)
    (tmp_path / "feed.log.0").mkdir()
    assert not rotate(log, largest=10)
    assert log.read_text() == "a" * 20
    assert not rotate(tmp_path / "none.log")


def test_a_program_that_writes_without_end_fills_no_disk(tmp_path: Path):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("optionscalp.parts.LARGEST_BYTES", 10**6)
        patch.setattr("optionscalp.parts.KEPT", 2)
        script = "import sys\nfor n in range(2 * 10**5): print(n, 'x' * 90, flush=True)"
        part = Part("talker", [sys.executable, "-c", script], {}, tmp_path)
        part.start()
        largest = 0
        while part.pid is not None:
            part.watch()
            largest = max(largest, sum(path.stat().st_size for path in tmp_path.iterdir()))
        part.kill_family()
    assert names(tmp_path) == ["talker.log", "talker.log.1", "talker.log.2"]
    assert largest < 10**7  # of 2 * 10**7 written; a busy machine looks seldom
