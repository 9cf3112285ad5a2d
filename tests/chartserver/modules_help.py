"""The pages' modules on a page of the test's own, without chart server and database."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

CHARTSERVER = Path(__file__).parents[2] / "chartserver"
CHARTS = "/node_modules/lightweight-charts/dist/lightweight-charts.standalone.production.mjs"
HEAD = f"""<!doctype html><title>Modules</title><link rel="icon" href="data:,">
<script type="importmap">{{"imports": {{"lightweight-charts": "{CHARTS}"}}}}</script>
"""


def part(name: str) -> str:
    """Markup of a part of the pages."""
    return (CHARTSERVER / f"static/parts/{name}.html").read_text()


def sheets(*names: str) -> str:
    return "".join(f'<link rel="stylesheet" href="/static/styles/{name}.css">' for name in names)


class Handler(SimpleHTTPRequestHandler):
    """The modules as they are, and one page."""

    def __init__(self, markup: str, *given: object, **named: object):
        self.markup = markup
        super().__init__(*given, **named)

    def do_GET(self) -> None:
        if self.path != "/":
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write((HEAD + self.markup).encode())

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def modules(markup: str) -> Iterator[str]:
    """Serve a page of this markup beside the modules; yield its address."""
    handler = partial(Handler, markup, directory=CHARTSERVER)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()
