"""Pages from their parts, and the heads that load their modules."""

from pathlib import Path

import pytest

from chartserver.errors import PagesError
from chartserver.markup import read_markup
from chartserver.modules import plain_head


@pytest.fixture
def static(tmp_path: Path) -> Path:
    write(tmp_path, "pages/live.html", "<head>\n  <!-- assets: live-page.js -->\n</head>\n")
    write(tmp_path, "live-page.js", "")
    return tmp_path


def write(static: Path, path: str, text: str) -> None:
    (static / path).parent.mkdir(exist_ok=True)
    (static / path).write_text(text)


def head(static: Path) -> list[str]:
    return list(plain_head(static, read_markup(static, "live").assets).elements())


def test_a_part_stands_where_it_is_named_with_that_lines_indentation(static):
    write(static, "pages/live.html", "<!-- assets: a.js -->\n  <!-- part: outer -->\n<p>\n")
    write(static, "parts/outer.html", "<b>\n  <!-- part: inner -->\n</b>\n")
    write(static, "parts/inner.html", "<i>\n</i>\n")
    page = read_markup(static, "live").page(["<one>", "<two>"])
    assert page == "<one>\n<two>\n  <b>\n    <i>\n    </i>\n  </b>\n<p>\n"


def test_a_missing_part_is_named_with_the_file_that_wants_it(static):
    write(static, "pages/live.html", "<!-- assets: a.js -->\n<!-- part: gone -->\n")
    with pytest.raises(PagesError, match=r"parts/gone\.html, which pages/live\.html names"):
        read_markup(static, "live")


def test_a_part_of_itself_is_refused(static):
    write(static, "pages/live.html", "<!-- assets: a.js -->\n<!-- part: a -->\n")
    write(static, "parts/a.html", "<!-- part: b -->\n")
    write(static, "parts/b.html", "<!-- part: a -->\n")
    with pytest.raises(PagesError, match=r"parts/a\.html > parts/b\.html > parts/a\.html"):
        read_markup(static, "live")


def test_a_page_that_names_no_assets_is_refused(static):
    write(static, "pages/live.html", "<p>\n")
    with pytest.raises(PagesError, match="assets"):
        read_markup(static, "live")


def test_all_modules_are_named_in_the_head_once(static):
    write(static, "live-page.js", 'import {\n  a,\n} from "./lib/a.js"\nimport "./lib/b.js"\n')
    write(
        static, "lib/a.js", 'export { b } from "./b.js"\nexport const text = "from \'./no.js\'"\n'
    )
    write(static, "lib/b.js", '/** @type {import("./types.js").B} */\nexport * from "../c.js"\n')
    write(static, "c.js", 'import { d } from "lightweight-charts"\n')
    assert head(static) == [
        '<script type="importmap">'
        '{"imports": {"lightweight-charts": "/static/vendor/lightweight-charts.mjs"}}</script>',
        '<script type="module" src="/static/live-page.js"></script>',
        '<link rel="modulepreload" href="/static/lib/a.js">',
        '<link rel="modulepreload" href="/static/lib/b.js">',
        '<link rel="modulepreload" href="/static/c.js">',
        '<link rel="modulepreload" href="/static/vendor/lightweight-charts.mjs">',
    ]


def test_pictures_styles_and_workers_are_named(static):
    write(
        static,
        "pages/live.html",
        "<!-- assets: i.svg a.css live-page.js s-worker.js -->\n",
    )
    for name in ("i.svg", "a.css", "s-worker.js"):
        write(static, name, "")
    assert head(static) == [
        '<link rel="icon" href="/static/i.svg" type="image/svg+xml">',
        '<link rel="stylesheet" href="/static/a.css">',
        '<meta name="s-worker" content="/static/s-worker.js">',
        '<script type="module" src="/static/live-page.js"></script>',
    ]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ('import "./gone.js"', r"gone\.js, which live-page\.js imports, is missing"),
        ('import "react"', "react, of which no address is known"),
    ],
)
def test_an_import_that_no_browser_could_follow_is_refused(static, source, message):
    write(static, "live-page.js", source)
    with pytest.raises(PagesError, match=message):
        head(static)


def test_a_missing_or_strange_asset_is_refused(static):
    write(static, "photo.bmp", "")
    for name, message in (("gone.css", "gone.css is missing"), ("photo.bmp", "no page can load")):
        write(static, "pages/live.html", f"<!-- assets: {name} -->\n")
        with pytest.raises(PagesError, match=message):
            head(static)


def test_parts_are_not_served_alone(chart):
    assert chart.get("/static/parts/head.html").status_code == 404
    assert chart.get("/static/pages/live.html").status_code == 404
