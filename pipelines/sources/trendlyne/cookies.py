"""A browser's cookies in a file: Netscape's format, or `name=value; name=value` on one line."""

from pathlib import Path
from typing import NamedTuple

from pipelines.sources.errors import SourceRefused
from pipelines.sources.secret_file import read_secret

VARIABLE = "TRENDLYNE_COOKIE_FILE"
HTTP_ONLY = "#HttpOnly_"
FIELDS = 7
Stamp = tuple[int, int, int]


class Cookie(NamedTuple):
    """A cookie and for whom it is: no domain, for the site that the file was made for."""

    name: str
    value: str
    domain: str = ""
    subdomains: bool = True
    secure: bool = False

    def is_for(self, host: str, *, secure: bool) -> bool:
        """Tell whether a host may see it; files of whole browsers hold those of other sites."""
        mine = host == self.domain or (self.subdomains and host.endswith(f".{self.domain}"))
        return (not self.domain or mine) and (secure or not self.secure)


def parse_cookies(text: str) -> list[Cookie]:
    """Return the cookies of a file.

    Raises:
        ValueError: It is of neither form, or empty.
    """
    lines = [line.strip("\r\n") for line in text.splitlines() if line.strip()]
    rows = [line for line in lines if not line.startswith("#") or line.startswith(HTTP_ONLY)]
    if not rows:
        raise ValueError("no cookies in it")
    if "\t" in rows[0]:
        return [_netscape(row) for row in rows]
    if len(rows) > 1:
        raise ValueError("neither Netscape's format nor one line of name=value; name=value")
    pairs = rows[0].strip().removeprefix("Cookie:").split(";")
    return [_pair(pair.strip()) for pair in pairs if pair.strip()]


def _netscape(line: str) -> Cookie:
    fields = line.removeprefix(HTTP_ONLY).split("\t")
    if len(fields) != FIELDS:
        raise ValueError(f"a line of {len(fields)} fields, not {FIELDS}")
    domain, subdomains, _path, secure, _expires, name, value = fields
    return Cookie(name, value, domain.lstrip(".").lower(), subdomains == "TRUE", secure == "TRUE")


def _pair(text: str) -> Cookie:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise ValueError("a part that is no name=value")
    return Cookie(name.strip(), value.strip())


class CookieFile:
    """A file of cookies, read again whenever it changes. No text of ours ever holds a value."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: Stamp | None = None
        self._cookies: list[Cookie] = []

    def changed(self) -> bool:
        """Read the file if it changed; tell whether it did.

        Raises:
            SourceRefused: It cannot be read; one line with the remedy.
        """
        try:
            found = self._path.stat()
            stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
            if stamp == self._stamp:
                return False
            self._cookies = parse_cookies(read_secret(self._path))
        except (OSError, ValueError) as error:
            self._stamp = None
            reason = getattr(error, "strerror", None) or str(error)
            raise SourceRefused(
                f"{VARIABLE}: {self._path}: {reason}; export the site's cookies again, or unset it"
            ) from None
        self._stamp = stamp
        return True

    def cookies(self, host: str, *, secure: bool) -> dict[str, str]:
        """Return names and values for a host, as read last."""
        found = (cookie for cookie in self._cookies if cookie.is_for(host, secure=secure))
        return {cookie.name: cookie.value for cookie in found}

    def values(self) -> list[str]:
        """Return all values in the file, whosever they are, so that nothing shows them.

        Raises:
            SourceRefused: As for `changed`.
        """
        self.changed()
        return [cookie.value for cookie in self._cookies]
