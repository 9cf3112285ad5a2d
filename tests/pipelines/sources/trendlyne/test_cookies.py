"""A browser's cookies in a file: two forms, only the site's own, read again when it changes."""

import os

import pytest

from pipelines.sources.errors import SourceRefused
from pipelines.sources.trendlyne.cookies import CookieFile, parse_cookies

NETSCAPE = """# Netscape HTTP Cookie File

.trendlyne.com\tTRUE\t/\tTRUE\t1893456000\taws-waf-token\tabc
#HttpOnly_smartoptions.trendlyne.com\tFALSE\t/\tFALSE\t0\tcsrftoken\tdef
.example.com\tTRUE\t/\tFALSE\t0\tbank\tsecret
"""


def seen(text: str, host: str, *, secure: bool = True) -> dict[str, str]:
    return {c.name: c.value for c in parse_cookies(text) if c.is_for(host, secure=secure)}


def test_a_browsers_export_gives_a_site_its_own_cookies_only():
    host = "smartoptions.trendlyne.com"

    assert seen(NETSCAPE, host) == {"aws-waf-token": "abc", "csrftoken": "def"}
    assert seen(NETSCAPE, host, secure=False) == {"csrftoken": "def"}
    assert seen(NETSCAPE, "other.trendlyne.com") == {"aws-waf-token": "abc"}
    assert seen(NETSCAPE, "nottrendlyne.com") == {}


@pytest.mark.parametrize(
    "text", ["a=1; b=x=y;", "Cookie: a=1;b=x=y\n", "# from the browser\na=1; b=x=y"]
)
def test_a_line_of_pairs_is_read(text):
    assert seen(text, "any.host") == {"a": "1", "b": "x=y"}


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "No such file or directory"),
        (b"", "no cookies in it"),
        (b"# Netscape HTTP Cookie File\n", "no cookies in it"),
        (b"nothing", "a part that is no name=value"),
        (b"a=1\nb=2\n", "neither Netscape's format nor one line"),
        (b".trendlyne.com\tTRUE\t/\n", "a line of 3 fields, not 7"),
        (b"a=\xff\xfe", "can't decode"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_line_with_the_remedy(tmp_path, content, complaint):
    path = tmp_path / "cookies.txt"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(SourceRefused, match=complaint) as refused:
        CookieFile(path).changed()

    text = str(refused.value)
    assert text.startswith(f"TRENDLYNE_COOKIE_FILE: {path}: ")
    assert text.endswith("export the site's cookies again, or unset it")
    assert "\n" not in text
    assert refused.value.status is None


def test_a_file_is_read_again_when_it_changed_and_only_then(tmp_path):
    path = tmp_path / "cookies.txt"
    path.write_text("a=1")
    file = CookieFile(path)

    assert file.changed()
    assert not file.changed()
    path.write_text("a=2")
    os.utime(path, ns=(1, 1))
    assert file.changed()
    assert file.cookies("any.host", secure=False) == {"a": "2"}
    path.unlink()
    with pytest.raises(SourceRefused):
        file.changed()
    path.write_text("a=3")
    assert file.changed()
