"""The report that a user may attach to a bug report, and the answers as they came, beside it.

In files, not in the raw archive: that is where tables are derived from, and answers of a holiday or
to a question out of turn must never become rows. So it also works without a database.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from pipelines.probing.outcome import Outcome, Outcomes
from pipelines.probing.redaction import Redaction
from pipelines.probing.wording import unusable
from pipelines.sources.probe import Finding, Kept

ANSWERS = "answers"
REPORT = "report.json"


def new_folder(home: Path, now: datetime) -> Path:
    """Make and return an empty folder for one report, for its owner only."""
    base = home / "probe"
    base.mkdir(parents=True, exist_ok=True)
    name = f"{now:%Y-%m-%dT%H-%M-%S}"
    for n in range(1, 1_000):
        folder = base / (name if n == 1 else f"{name}-{n}")
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            continue
        return folder
    raise FileExistsError(base / name)


def keep_answers(folder: Path, outcome: Outcome, redaction: Redaction) -> list[dict[str, Any]]:
    """Write a source's answers, and return what the report says of each."""
    (folder / ANSWERS).mkdir(exist_ok=True)
    told = []
    for n, kept in enumerate(outcome.kept, 1):
        body = redaction.body(kept.body)
        path = folder / ANSWERS / f"{outcome.source}-{n:02d}-{_kind(kept)}{_suffix(body)}"
        path.write_bytes(body)
        told.append(
            {
                "file": f"{ANSWERS}/{path.name}",
                "request": kept.request,
                "received_at": kept.received_at,
                "bytes": len(body),
            }
        )
    return told


def as_json(
    outcomes: Outcomes,
    notes: Sequence[Finding],
    answers: Mapping[str, Sequence[Mapping[str, Any]]],
    versions: Mapping[str, str],
    settings: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the report, before its secrets are taken out.

    Args:
        outcomes: What came.
        notes: How it was made, where that is to be known.
        answers: By source, where each answer lies.
        versions: Of the program and of what it runs on.
        settings: What was asked for, and how.
    """
    times, verdict, stops = outcomes.times, outcomes.verdict, unusable(notes)
    return {
        "works": verdict.works and not stops,
        "problems": [*(f"{name} cannot be used" for name in stops), *verdict.problems],
        "limits": verdict.limits,
        "at": times.now,
        "market": "open" if times.is_open else "closed",
        "session": times.data,
        "coming_session": times.coming,
        "underlying": outcomes.underlying,
        "sources": [
            {
                "source": outcome.source,
                "state": outcome.state,
                "roles": {role: _role_state(outcome, role) for role in sorted(outcome.roles)},
                "findings": [finding._asdict() for finding in outcome.findings],
                "not_asked": list(outcome.unasked),
                "answers": list(answers.get(outcome.source, ())),
            }
            for outcome in outcomes.each
        ],
        "notes": [finding._asdict() for finding in notes],
        "versions": dict(versions),
        "settings": dict(settings),
    }


def write(folder: Path, report: Mapping[str, Any]) -> Path:
    """Write a report that has no secrets any more; return where it is."""
    path = folder / REPORT
    path.write_text(json.dumps(report, indent=2) + "\n")
    return path


def _role_state(outcome: Outcome, role: str) -> str:
    if role in outcome.unasked:
        return "not asked"
    return "works" if outcome.works_for(role) else "fails"


def _kind(kept: Kept) -> str:
    about = kept.about
    named = about.get("symbol") or about.get("underlying") or ""
    words = [str(about.get("kind", "answer")), str(named)]
    return "-".join(_plain(word) for word in words if word)


def _plain(word: str) -> str:
    return "".join(letter for letter in word if letter.isalnum() or letter in "_!") or "x"


def _suffix(body: bytes) -> str:
    if body[:2] == b"\x1f\x8b":
        return ".json.gz"
    return ".json" if body[:1] in {b"{", b"["} else ".txt"
