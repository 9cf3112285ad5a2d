"""The pages' markup: a page file, the parts that it names, and the place of its assets.

`<!-- part: charts -->` on a line of its own stands for `parts/charts.html`, indented as that line.
`<!-- assets: icon.svg styles/style.css live-page.js -->` names what the page loads,
by paths under `static/`; the server writes the elements, one form for the plain modules and one
for the bundle.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from textwrap import indent
from typing import NamedTuple

from chartserver.errors import PagesError

# Page files by address.
PAGES = {"/": "live", "/replay": "replay", "/signals": "signals", "/sweeps": "sweeps"}

_PART = re.compile(r"^([ \t]*)<!-- part: ([\w-]+) -->\n", re.MULTILINE)
_ASSETS = re.compile(r"^([ \t]*)<!-- assets: ([^>]+?) -->\n", re.MULTILINE)


class Markup(NamedTuple):
    """A page without its assets' elements.

    Attributes:
        before: The text before them.
        after: The text after them.
        margin: Their indentation.
        assets: Paths under `static/`, in their order.
    """

    before: str
    after: str
    margin: str
    assets: tuple[str, ...]

    def page(self, elements: Sequence[str]) -> str:
        """Return the document with these elements, one a line."""
        return self.before + indent("\n".join(elements) + "\n", self.margin) + self.after


def read_markup(static: Path, name: str) -> Markup:
    """Return the page of a name with its parts.

    Raises:
        PagesError: The page or a part is missing or includes itself, or no assets are named.
    """
    text = _with_parts(static, f"pages/{name}.html", ())
    found = _ASSETS.findall(text)
    if len(found) != 1:
        raise PagesError(f"{static}/pages/{name}.html needs one line `<!-- assets: ... -->`")
    before, margin, names, after = _ASSETS.split(text)
    return Markup(before, after, margin, tuple(names.split()))


def _with_parts(static: Path, path: str, above: tuple[str, ...]) -> str:
    if path in above:
        raise PagesError(f"{static / path} is a part of itself: {' > '.join((*above, path))}")
    try:
        text = (static / path).read_text("utf-8")
    except OSError as error:
        by = f", which {above[-1]} names," if above else ""
        raise PagesError(f"{static / path}{by} cannot be read: {error.strerror}") from error

    def part(line: re.Match[str]) -> str:
        margin, name = line.groups()
        return indent(_with_parts(static, f"parts/{name}.html", (*above, path)), margin)

    return _PART.sub(part, text)
