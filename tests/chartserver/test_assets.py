"""The pages' files: bundled, plain, or changed since; how long they are kept and how packed."""

import gzip
import json
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import httpx
import pytest
from chart_help import DEADLINE
from starlette.applications import Starlette

from chartserver.bundle import sources_hash
from chartserver.errors import PagesError, SettingsError
from chartserver.pages import FOLDER, Pages
from chartserver.routes.page import routes
from chartserver.server import Server
from chartserver.settings import Settings

YEAR = "public, max-age=31536000, immutable"
PAGES = ("/", "/replay", "/signals", "/sweeps")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of what the pages are made of, not built."""
    return copied(tmp_path / "chartserver")


@pytest.fixture(scope="module")
def built_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What every built copy is copied from: packing it takes seconds."""
    made = copied(tmp_path_factory.mktemp("pages") / "chartserver")
    build(made)
    return made


@pytest.fixture
def built(built_once: Path, tmp_path: Path) -> Path:
    """A built copy of one's own."""
    return Path(shutil.copytree(built_once, tmp_path / "chartserver", symlinks=True))


def copied(copy: Path) -> Path:
    shutil.copytree(FOLDER / "static", copy / "static")
    for name in ("build.js", "package.json", "package-lock.json"):
        shutil.copy(FOLDER / name, copy)
    (copy / "node_modules").symlink_to((FOLDER / "node_modules").resolve())
    return copy


def build(folder: Path) -> None:
    subprocess.run(["node", "build.js"], cwd=folder, check=True)


@pytest.fixture
def client() -> Iterator[Callable[[Path], httpx.Client]]:
    """Serve the pages of folders, and nothing else, until the test ends."""
    with ExitStack() as running:
        yield lambda folder: running.enter_context(serving(folder))


@contextmanager
def serving(folder: Path) -> Iterator[httpx.Client]:
    server = Server(Starlette(routes=routes(Pages(folder))), Settings())
    with socket.create_server(("127.0.0.1", 0)) as sock:
        thread = threading.Thread(target=server.run, args=([sock],))
        thread.start()
        port = sock.getsockname()[1]
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=DEADLINE) as site:
            yield site
        server.should_exit = True
        thread.join(DEADLINE)
        assert not thread.is_alive()


def links(page: str) -> list[str]:
    """The addresses of all files that a page's head names."""
    return re.findall(r'(?:src|href|content)="(/static/[^"]+)"', page.partition("<body")[0])


def lines_of(caplog) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name.startswith("chart")]


def test_a_built_page_loads_a_handful_of_files_that_are_kept_for_ever(client, built):
    site = client(built)
    for path in PAGES:
        answer = site.get(path)
        files = links(answer.text)
        assert 3 <= len(files) <= 7
        assert "importmap" not in answer.text
        for file in files:
            assert file.startswith("/static/bundle/")
            got = site.get(file)
            assert (file, got.status_code) == (file, 200)
            assert got.headers["cache-control"] == YEAR
            assert got.headers["x-content-type-options"] == "nosniff"


def test_all_that_a_bundled_module_imports_is_bundled_too(client, built):
    site = client(built)
    modules = [*(built / "dist").glob("*.js")]
    assert modules
    imported = set()
    for module in modules:
        imported |= set(re.findall(r'"\./([\w.-]+\.js)"', module.read_text()))
        assert 'from"lightweight-charts"' not in module.read_text()
    assert next((built / "dist").glob("lightweight-charts-*.js")).name in imported
    for name in imported:
        assert site.get(f"/static/bundle/{name}").status_code == 200


def test_unbuilt_pages_load_their_modules_and_say_how_to_build(client, folder, caplog):
    site = client(folder)
    assert lines_of(caplog) == [
        "the pages' bundle is not built, so they load as plain modules: `make setup` builds it"
    ]
    page = site.get("/")
    assert "/static/live-page.js" in links(page.text)
    assert "/static/bundle/" not in page.text
    for file in links(page.text):
        if "/vendor/" not in file:
            assert site.get(file).headers["cache-control"] == "no-cache"
            assert site.get(file).content == (folder / file[1:]).read_bytes()


@pytest.mark.parametrize(
    "source", ["static/live-page.js", "static/styles/style.css", "static/parts/head.html"]
)
def test_a_bundle_older_than_its_sources_is_not_used(client, built, source, caplog):
    with (built / source).open("a") as file:
        file.write("\n")
    site = client(built)
    assert "older than its sources" in lines_of(caplog)[0]
    assert "/static/bundle/" not in site.get("/").text


def test_added_and_removed_sources_make_a_bundle_old(client, built):
    before = sources_hash(built)
    (built / "static/lib/more.js").write_text("")
    assert "/static/bundle/" not in client(built).get("/").text
    (built / "static/lib/more.js").unlink()
    assert sources_hash(built) == before
    assert "/static/bundle/" in client(built).get("/").text


def test_a_change_shows_at_the_next_load_of_a_running_server(client, built, caplog):
    site = client(built)
    old = site.get("/")
    part = built / "static/parts/brand.html"
    part.write_text(part.read_text().replace("<span>OptionScalp", "<span>Renamed"))
    plain = site.get("/", headers={"If-None-Match": old.headers["etag"]})
    assert plain.status_code == 200
    assert "<span>Renamed" in plain.text
    assert "/static/live-page.js" in links(plain.text)
    build(built)
    again = site.get("/")
    assert "<span>Renamed" in again.text
    assert all(file.startswith("/static/bundle/") for file in links(again.text))
    assert len(lines_of(caplog)) == 1


def test_an_open_page_still_finds_its_files_after_an_update(client, built):
    site = client(built)
    script = next(file for file in links(site.get("/").text) if "live-page" in file)
    (built / "static/lib/frame.js").write_text(
        (built / "static/lib/frame.js").read_text() + "\nconsole.info('new')\n"
    )
    build(built)
    new = next(file for file in links(site.get("/").text) if "live-page" in file)
    assert new != script
    assert site.get(script).status_code == 200
    assert "console.info" not in site.get(script).text
    assert "console.info" in site.get(new).text


def test_a_build_of_unchanged_sources_does_nothing(built):
    before = {path: path.stat().st_mtime_ns for path in (built / "dist").iterdir()}
    build(built)
    assert {path: path.stat().st_mtime_ns for path in (built / "dist").iterdir()} == before


def test_an_incomplete_bundle_is_not_used(client, built, caplog):
    next((built / "dist").glob("live-page-*.js.br")).unlink()
    assert "/static/bundle/" not in client(built).get("/").text
    assert "incomplete" in lines_of(caplog)[0]
    (built / "dist/manifest.json").write_text("{")
    assert "/static/bundle/" not in client(built).get("/").text
    assert "damaged" in lines_of(caplog)[-1]


def test_a_build_that_fails_is_one_line_and_leaves_no_bundle(folder):
    (folder / "static/live-page.js").write_text('import "./gone.js"\n')
    result = subprocess.run(
        ["node", "build.js"], cwd=folder, check=False, capture_output=True, text=True
    )
    assert result.returncode == 1
    assert "gone.js" in result.stderr
    assert not (folder / "dist").exists()


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip, deflate", "gzip"),
        ("br;q=0.5, gzip;q=0.8", "gzip"),
        ("br;q=0, *", "gzip"),
        ("*", "br"),
        ("gzip;q=0, br;q=0", None),
        ("identity, gzip;q=0.1", None),
        ("gzip;q=much", None),
        ("", None),
    ],
)
def test_bundled_files_come_in_the_encoding_that_the_client_likes(
    client, built, accepted, encoding
):
    site = client(built)
    name = next((built / "dist").glob("live-page-*.js")).name
    # The raw body: this client would unpack it.
    with site.stream(
        "GET", f"/static/bundle/{name}", headers={"Accept-Encoding": accepted}
    ) as answer:
        body = b"".join(answer.iter_raw())
    assert answer.headers.get("content-encoding") == encoding
    assert answer.headers["vary"] == "Accept-Encoding"
    suffix = {"br": ".br", "gzip": ".gz", None: ""}[encoding]
    assert body == (built / "dist" / (name + suffix)).read_bytes()


def test_pages_and_plain_modules_are_gzipped(client, folder):
    site = client(folder)
    for path in (*PAGES, "/static/live-page.js", "/static/vendor/lightweight-charts.mjs"):
        with site.stream("GET", path, headers={"Accept-Encoding": "gzip"}) as packed:
            body = b"".join(packed.iter_raw())
        plain = site.get(path, headers={"Accept-Encoding": "identity"})
        assert packed.headers["content-encoding"] == "gzip"
        assert "content-encoding" not in plain.headers
        assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
        assert gzip.decompress(body) == plain.content
        assert len(body) < len(plain.content) / 2


def test_what_a_client_has_is_not_sent_again(client, built):
    site = client(built)
    bundled = links(site.get("/").text)[-1]
    for path in (*PAGES, bundled, "/static/live-page.js"):
        for encoding in ("gzip", "identity"):
            asked = {"Accept-Encoding": encoding}
            first = site.get(path, headers=asked)
            for known in (first.headers["etag"], f'"other", {first.headers["etag"]}'):
                again = site.get(path, headers={**asked, "If-None-Match": known})
                assert (path, again.status_code, again.content) == (path, 304, b"")
                assert again.headers["etag"] == first.headers["etag"]
                assert again.headers["cache-control"] == first.headers["cache-control"]
            assert site.get(path, headers={**asked, "If-None-Match": '"x"'}).status_code == 200


def test_each_encoding_of_a_page_has_its_own_tag(client, built):
    site = client(built)
    tags = {
        site.get("/", headers={"Accept-Encoding": encoding}).headers["etag"]
        for encoding in ("gzip", "identity")
    }
    assert len(tags) == 2


def test_head_tells_what_get_would(client, built):
    site = client(built)
    for path in (*PAGES, *links(site.get("/").text), "/static/live-page.js"):
        got, told = site.get(path), site.head(path)
        assert (path, told.status_code, told.content) == (path, 200, b"")
        for name in ("etag", "cache-control", "content-type"):
            assert told.headers[name] == got.headers[name]


def test_nothing_outside_the_bundle_can_be_read(client, built, chart):
    site = client(built)
    for path in (
        "/static/bundle/manifest.json",
        "/static/bundle/..%2fbuild.js",
        "/static/bundle/%2e%2e/%2e%2e/build.js",
        "/static/bundle/gone-000000000000.js",
        "/static/..%2fbuild.js",
        "/static/%2e%2e/%2e%2e/errors.py",
        "/static/parts/head.html",
        "/static/pages/live.html",
    ):
        assert (path, site.get(path).status_code) == (path, 404)
        assert (path, chart.get(path).status_code) == (path, 404)


@pytest.mark.parametrize("form", ["bundled", "plain"])
def test_a_browser_runs_either_form_under_the_pages_policy(form, serve, folder, browser):
    if form == "bundled":
        build(folder)
    chart = serve(pages=Pages(folder))
    errors: list[str] = []
    asked: list[str] = []
    # Unlike the other tests' pages, these obey the policy.
    with closing(browser.new_context()) as context:
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
        page.on("request", lambda request: asked.append(request.url))
        for path in PAGES:
            # Only a running page asks for rows.
            with page.expect_request("**/api/**"):
                page.goto(chart.url + path)
    assert errors == []
    modules = [url for url in asked if url.endswith(".js")]
    assert [("/static/bundle/" in url) for url in modules] == [form == "bundled"] * len(modules)


def test_the_packages_missing_is_said_at_the_start(folder):
    (folder / "node_modules").unlink()
    with pytest.raises(SettingsError, match="make setup"):
        Pages(folder)


def test_a_missing_part_stops_the_start_and_is_said_by_a_running_server(client, folder):
    site = client(folder)
    part = folder / "static/parts/dock.html"
    text = part.read_text()
    part.unlink()
    with pytest.raises(PagesError, match=r"parts/dock\.html"):
        Pages(folder)
    answer = site.get("/")
    assert answer.status_code == 500
    assert "parts/dock.html" in answer.json()["error"]
    part.write_text(text)
    assert site.get("/").status_code == 200


def test_a_worker_is_bundled_and_named_in_the_head(client, folder):
    page = folder / "static/pages/live.html"
    page.write_text(page.read_text().replace(" live-page.js -->", " live-page.js w-worker.js -->"))
    (folder / "static/w-worker.js").write_text(
        'import { lowerBound } from "./lib/search.js"\nself.found = lowerBound\n'
    )
    find = re.compile(r'<meta name="w-worker" content="([^"]+)">')
    assert find.search(client(folder).get("/").text)[1] == "/static/w-worker.js"
    build(folder)
    site = client(folder)
    address = find.search(site.get("/").text)[1]
    assert re.fullmatch(r"/static/bundle/w-worker-\w+\.js", address)
    assert "import" not in site.get(address).text


def test_the_lock_file_pins_without_addresses():
    lock = json.loads((FOLDER / "package-lock.json").read_text())
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert all("integrity" in entry for entry in packages.values())
    assert not any("resolved" in entry for entry in packages.values())
