"""Write the parts of docs/http.md that the description of the interface tells of: `make docs`.

They stand between two comments each; what is between them is replaced, what is around them stays.
"""

import re
import textwrap
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from chartserver.description.document import BY_ADDRESS, EVERYWHERE, OF_REQUESTS, describe

PAGE = Path(__file__).parent.parent / "docs" / "http.md"
PART = re.compile(r"(<!-- (?P<part>[a-z]+): make docs -->\n).*?(<!-- end -->\n)", re.DOTALL)
SHOWN = "/api/"
RETRY = {429: "; `Retry-After`", 503: "; `Retry-After: 1`"}
WORDS = {"boolean": "true or false", "integer": "whole number"}
FORMATS = {"date": "date", "uuid": "UUID"}
# As many fields in common as are not told of again.
IN_COMMON = 8

Schema = dict[str, Any]


def page(text: str) -> str:
    """Return the page with its parts as the description has them now."""
    parts = {"errors": errors(), "parameters": parameters(), "json": answers()}
    return PART.sub(lambda found: f"{found[1]}\n{parts[found['part']]}\n\n{found[3]}", text)


def errors() -> str:
    """Return the table of statuses."""
    known = BY_ADDRESS | EVERYWHERE | OF_REQUESTS
    rows = [
        (str(status), about + RETRY.get(status, ""), details)
        for status, (about, details) in sorted(known.items())
    ]
    return _table(("status", "when", "details"), rows)


def parameters() -> str:
    """Return the table of parameters, those of equal words in one row."""
    told: dict[str, dict[str, list[str]]] = {}  # per allowed and absent value the names
    for _, operation in _operations():
        for asked in operation.get("parameters", ()):
            if asked["in"] == "query":
                allowed, _, absent = asked["description"].removesuffix(".").partition(". Absent: ")
                default = asked["schema"].get("default")
                absent = absent or (f"`{default}`" if default is not None else "refused")
                names = told.setdefault(allowed, {}).setdefault(absent, [])
                names += [asked["name"]] if asked["name"] not in names else []
    rows = [
        (_code(dict.fromkeys(chain(*by_absent.values()))), allowed, "; ".join(by_absent))
        for allowed, by_absent in told.items()
    ]
    return _table(("name", "allowed", "absent"), rows)


def answers() -> str:
    """Return a section per address of JSON, and each named object where it first comes."""
    known: set[str] = set()
    before: dict[str, dict[str, Schema]] = {}
    return "\n\n".join(
        paragraph
        for path, operation in _operations()
        if path.startswith(SHOWN)
        for paragraph in _section(path, operation, known, before)
    )


def _operations() -> Iterator[tuple[str, Schema]]:
    for path, methods in describe()["paths"].items():
        yield path, methods["get"]


def _section(
    path: str, operation: Schema, known: set[str], before: dict[str, dict[str, Schema]]
) -> Iterator[str]:
    yield f"### `GET {path}`"
    yield _prose(f"{operation['summary']} {operation.get('description', '')}")
    yield _prose(f"Parameters: {_code(one['name'] for one in operation['parameters'])}.")
    answer = operation["responses"]["200"]["content"]["application/json"]["schema"]
    fields = answer["properties"]
    for other, theirs in before.items():
        same = [name for name in fields if fields[name] == theirs.get(name)]
        if len(same) >= IN_COMMON:
            yield _prose(f"Of `{other}` it has {_code(same)}, and:")
            fields = {name: fields[name] for name in fields if name not in same}
            break
    yield _fields(fields)
    before[path] = answer["properties"]
    waiting = list(_references(answer))
    while waiting:
        name = waiting.pop(0)
        if name not in known:
            known.add(name)
            found = _named(name)
            yield _prose(f"**{name}.** {found['description']}")
            yield _fields(found["properties"])
            waiting = [*_references(found), *waiting]


def _fields(properties: dict[str, Schema]) -> str:
    rows = [(f"`{name}`", _kind(one), _here(_about(one))) for name, one in properties.items()]
    return _table(("field", "type", "is"), rows)


def _about(schema: Schema) -> str:
    """Return what a field is; fields of an object without a name are told of with it."""
    told = [schema.get("description", "")]
    inner = schema.get("items", schema)
    if "properties" in inner:
        own = {
            name: one for name, one in inner["properties"].items() if name not in _base(inner)[1]
        }
        told += [f"`{name}`: {_about(one)}" for name, one in own.items() if _about(one)]
    return "; ".join(filter(None, told))


def _kind(schema: Schema) -> str:
    """Return a type in words: what it is, whether it may be null, and of which unit."""
    if "$ref" in schema:
        return _name(schema)
    if "anyOf" in schema:
        return " or ".join(_kind(option) for option in schema["anyOf"])
    if "enum" in schema:
        *most, last = ["null" if value is None else f"`{value}`" for value in schema["enum"]]
        return f"{', '.join(most)} or {last}" if most else last
    kinds = schema.get("type", "any JSON")
    words = [_word(kind, schema) for kind in ([kinds] if isinstance(kinds, str) else kinds)]
    unit = schema.get("x-unit", "")
    if unit == "UTC seconds" and kinds != "number":
        words[0], unit = unit, ""
    return " or ".join(words) + (f", {unit}" if unit else "")


def _word(kind: str, schema: Schema) -> str:
    if kind == "array":
        inner = _kind(schema["items"])
        return f"list of ({inner})" if re.search(" or |, ", inner) else f"list of {inner}"
    if kind == "object" and "properties" in schema:
        base, theirs = _base(schema)
        more = "{" + ", ".join(name for name in schema["properties"] if name not in theirs) + "}"
        return f"{base} with `{more}`" if base else f"`{more}`"
    if kind == "object":
        return f"by key: {_kind(schema['additionalProperties'])}"
    if kind == "string":
        return FORMATS.get(schema.get("format", ""), "text")
    return WORDS.get(kind, kind)


def _base(schema: Schema) -> tuple[str, dict[str, Schema]]:
    """Return the named object whose fields an object has besides its own, and these."""
    fields = schema["properties"]
    for name, known in describe()["components"]["schemas"].items():
        theirs: dict[str, Schema] = known["properties"]
        if len(theirs) < len(fields) and theirs.items() <= fields.items():
            return name, theirs
    return "", {}


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if "$ref" in schema:
            yield _name(schema)
        for value in schema.values():
            yield from _references(value)
    elif isinstance(schema, list):
        for item in schema:
            yield from _references(item)


def _name(schema: Schema) -> str:
    return str(schema["$ref"].rpartition("/")[2])


def _named(name: str) -> Schema:
    found: Schema = describe()["components"]["schemas"][name]
    return found


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = ["".join(f"| {cell} " if cell else "| " for cell in row) + "|" for row in (head, *rows)]
    return "\n".join([lines[0], "|" + "---|" * len(head), *lines[1:]])


def _prose(text: str) -> str:
    return textwrap.fill(_here(text), 100, break_long_words=False, break_on_hyphens=False)


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _here(text: str) -> str:
    """Return words with their links as from the page's folder."""
    return text.replace("](docs/", "](").replace("](http.md#", "](#")


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text()))
