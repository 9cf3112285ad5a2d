"""The elements of a page's head that load its files."""

import json
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import NamedTuple


class Head(NamedTuple):
    """What a page loads, by addresses.

    Attributes:
        icons: SVG pictures of the page.
        styles: Style sheets, in their order.
        script: The page's own module.
        preloads: What the script imports, named early so that none waits for another.
        workers: Workers by name; the page finds each by `meta[name="NAME"]`.
        libraries: What modules import by name.
    """

    icons: Sequence[str]
    styles: Sequence[str]
    script: str
    preloads: Sequence[str]
    workers: Mapping[str, str]
    libraries: Mapping[str, str]

    def elements(self) -> Iterator[str]:
        """Yield the elements."""
        for url in map(escape, self.icons):
            yield f'<link rel="icon" href="{url}" type="image/svg+xml">'
        for url in map(escape, self.styles):
            yield f'<link rel="stylesheet" href="{url}">'
        for name, url in self.workers.items():
            yield f'<meta name="{escape(name)}" content="{escape(url)}">'
        if self.libraries:
            yield f'<script type="importmap">{json.dumps({"imports": self.libraries})}</script>'
        yield f'<script type="module" src="{escape(self.script)}"></script>'
        for url in map(escape, self.preloads):
            yield f'<link rel="modulepreload" href="{url}">'
