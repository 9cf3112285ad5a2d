"""Pages and bundled files, as the files they are made of are now."""

import base64
import gzip
import hashlib
import logging
import re
from collections.abc import Mapping
from pathlib import Path

from chartserver import bundle
from chartserver.asset import Asset
from chartserver.errors import PagesError, SettingsError
from chartserver.markup import PAGES, read_markup
from chartserver.modules import plain_head

logger = logging.getLogger(__name__)

FOLDER = Path(__file__).parent
# Asked again each time, answered with 304 while unchanged: an update shows at the next load.
REVALIDATE = {"Cache-Control": "no-cache"}
# Said by the page as it comes: asking the server who one is would be another request.
LOGOUT = ('data-testid="logout" hidden', 'data-testid="logout"')

_INLINE_SCRIPT = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", re.DOTALL)
_Stamp = tuple[tuple[str, int, int], ...]


class Pages:
    """The pages, put together at the start and again when a file of theirs has changed.

    Args:
        folder: What they are made of.
        has_logins: Whether they show how to log out.

    Attributes:
        static: The folder of the plain modules.
        library: The chart library's file.
    """

    def __init__(self, folder: Path = FOLDER, *, has_logins: bool = False) -> None:
        """Put the pages together.

        Raises:
            SettingsError: The npm packages are missing.
            PagesError: A page's files are incomplete.
        """
        self.static = folder / "static"
        self.library = folder / bundle.LIBRARY
        if not self.library.is_file():
            raise SettingsError("lightweight-charts is not installed: run `make setup`")
        self._folder = folder
        self._has_logins = has_logins
        self._stamp: _Stamp = ()
        self._pages: Mapping[str, Asset] = {}
        self._files: dict[str, Asset] = {}
        self._refresh()

    def page(self, path: str) -> Asset:
        """Return the page of an address.

        Raises:
            PagesError: A file has changed, and the pages' files are incomplete now.
        """
        self._refresh()
        return self._pages[path]

    def file(self, name: str) -> Asset | None:
        """Return a bundled file; pages that were opened before a change still find theirs."""
        return self._files.get(name)

    def _refresh(self) -> None:
        stamp = self._look()
        if stamp == self._stamp:
            return
        built = bundle.read_bundle(self._folder)
        if isinstance(built, str):
            logger.warning(
                "the pages' bundle is %s, so they load as plain modules: `make setup` builds it",
                built,
            )
        pages = {}
        for path, name in PAGES.items():
            markup = read_markup(self.static, name)
            plain = plain_head(self.static, markup.assets)
            head = plain if isinstance(built, str) else built.heads[name]
            page = markup.page([*head.elements()])
            pages[path] = _page_asset(page.replace(*LOGOUT) if self._has_logins else page)
        self._files |= {} if isinstance(built, str) else built.files
        self._pages, self._stamp = pages, stamp

    def _look(self) -> _Stamp:
        """Return what tells, without reading them, whether files have changed."""
        try:
            names = [*bundle.sources(self._folder)]
            if (self._folder / bundle.MANIFEST).exists():
                names.append(bundle.MANIFEST)
            found = [(name, (self._folder / name).stat()) for name in names]
        except OSError as error:
            raise PagesError(f"{error.filename} cannot be read: {error.strerror}") from error
        return tuple((name, status.st_mtime_ns, status.st_size) for name, status in found)


def content_security_policy(page: str) -> str:
    """Return the policy of a page: nothing but this server, and the page's own inline scripts."""
    # An import map can only be inline; its hash allows it and nothing else.
    hashes = [
        base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        for script in _INLINE_SCRIPT.findall(page)
    ]
    scripts = " ".join(["'self'", *(f"'sha256-{value}'" for value in hashes)])
    return (
        f"default-src 'self'; script-src {scripts}; style-src 'self' 'unsafe-inline';"
        " img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none';"
        " form-action 'self'"
    )


def _page_asset(page: str) -> Asset:
    body = page.encode()
    headers = {**REVALIDATE, "Content-Security-Policy": content_security_policy(page)}
    bodies = {"identity": body, "gzip": gzip.compress(body, mtime=0)}
    return Asset(bodies, "text/html; charset=utf-8", headers)
