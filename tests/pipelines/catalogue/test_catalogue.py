"""What is found in a folder of strategies, and what is not: each fault is one line with a name."""

import re
import sys
from importlib.metadata import PathDistribution
from pathlib import Path

import pytest

from pipelines.catalogue.catalogue import find
from pipelines.catalogue.folder import FolderSettings
from strategy.registry import STRATEGIES
from tests.rules import write_rule

OURS = set(STRATEGIES)


def faults(folder: Path) -> dict[str, str]:
    return {one.origin.module: one.problem for one in find(folder).faults}


def test_strategies_of_a_folder_stand_beside_ours(tmp_path: Path):
    write_rule(tmp_path, "rise")
    write_rule(tmp_path, "other")
    found = find(tmp_path)
    assert found.entries.keys() == OURS | {"rise", "other"}
    assert found.faults == []
    origin = found.entries["rise"].origin
    assert origin.module == "rise.py"
    write_rule(tmp_path, "rise", "pass  # changed")
    assert find(tmp_path).entries["rise"].origin.digest != origin.digest


def test_tests_and_modules_beside_are_no_strategies(tmp_path: Path):
    (tmp_path / "rise.py").write_text("from _mine import rule_of\nRISE = rule_of()\n")
    helper = write_rule(tmp_path, "_mine")
    helper.write_text(helper.read_text() + "\ndef rule_of():\n    return _mine\n")
    helper.write_text(helper.read_text().replace('rule("_mine"', 'rule("rise"'))
    (tmp_path / "test_rise.py").write_text("raise ValueError('a test is not looked at')")
    found = find(tmp_path)
    assert (found.entries.keys(), found.faults) == (OURS | {"rise"}, [])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("import nowhere_to_be_found", "ModuleNotFoundError: .* \\(broken.py, line 1\\)"),
        ("x = (", "SyntaxError: .*"),
        ("x = 1", "defines no strategy"),
        ("raise SystemExit(3)", "SystemExit: 3 .*line 1.*"),
        ("from strategy.pullback import PULLBACK", "defines no strategy"),
        (
            "from dataclasses import replace\nfrom strategy.pullback import PULLBACK\n"
            "MINE = replace(PULLBACK, version='9')",
            "the name pullback is taken by optionscalp",
        ),
        (
            "from dataclasses import replace\nfrom strategy.pullback import PULLBACK\n"
            "MINE = replace(PULLBACK, name='Pull Back')",
            "'Pull Back' is no name: .*",
        ),
        (
            "from dataclasses import replace\nfrom strategy.pullback import PULLBACK\n"
            "MINE = replace(PULLBACK, name='mine', version='1+2')",
            "mine: '1\\+2' is no version: .*",
        ),
        (
            "from dataclasses import replace\nfrom strategy.pullback import PULLBACK\n"
            "MINE = replace(PULLBACK, name='mine', reads='news')",
            "mine: reads 'news', which nobody can: .*",
        ),
    ],
)
def test_a_module_that_is_none_is_named_and_the_others_stay(
    tmp_path: Path, text: str, problem: str
):
    write_rule(tmp_path, "rise")
    (tmp_path / "broken.py").write_text(text)
    assert find(tmp_path).entries.keys() == OURS | {"rise"}
    ((module, said),) = faults(tmp_path).items()
    assert module == "broken.py"
    assert re.fullmatch(problem, said), said
    assert "\n" not in said


def test_a_module_that_never_ends_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("pipelines.catalogue.catalogue.BATCH_SECONDS", 0.2)
    (tmp_path / "broken.py").write_text("while True:\n    pass")
    assert faults(tmp_path) == {
        "broken.py": "TooLong: took longer than 0.2 seconds (broken.py, line 1)"
    }


def test_a_name_goes_to_the_first_in_order(tmp_path: Path):
    write_rule(tmp_path, "rise")
    second = tmp_path / "second.py"
    second.write_text((tmp_path / "rise.py").read_text())
    assert faults(tmp_path) == {"second.py": "the name rise is taken by rise.py"}


def test_an_installed_package_names_its_strategies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write_rule(tmp_path, "sold")
    metadata = tmp_path / "sold-1.2.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: sold\nVersion: 1.2\n")
    points = "[optionscalp.strategies]\nwhole = sold\none = sold:sold\ngone = sold:nothing\n"
    (metadata / "entry_points.txt").write_text(points)
    assert PathDistribution(metadata).version == "1.2"
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "sold", raising=False)
    found = find(None)
    assert found.entries["sold"].origin == ("optionscalp.strategies:one", "sold 1.2")
    assert {one.origin.module: one.problem for one in found.faults} == {
        "optionscalp.strategies:gone": "AttributeError: module 'sold' has no attribute 'nothing'",
        "optionscalp.strategies:whole": ("the name sold is taken by optionscalp.strategies:one"),
    }


def test_a_folder_that_is_none_is_refused_by_the_name_of_its_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("STRATEGIES_DIR", str(tmp_path / "nowhere"))
    with pytest.raises(ValueError, match="no folder: create it, or unset STRATEGIES_DIR"):
        FolderSettings()
    monkeypatch.setenv("STRATEGIES_DIR", str(tmp_path))
    assert FolderSettings().folder == tmp_path
