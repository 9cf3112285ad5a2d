"""Words for JSON Schema: a line per field, with its unit and what it means.

A schema is a plain dictionary. `x-unit` names a unit; `title` makes a record a named one.
"""

from collections.abc import Iterable
from typing import Any

Schema = dict[str, Any]

RUPEES, POINTS, UNITS = "rupees", "premium points", "units"


def text(about: str) -> Schema:
    """Return a text."""
    return {"type": "string", "description": about}


def choice(about: str, values: Iterable[str]) -> Schema:
    """Return one of some texts."""
    return {"type": "string", "description": about, "enum": list(values)}


def number(about: str, unit: str = "") -> Schema:
    """Return a number."""
    return _measured("number", about, unit)


def whole(about: str, unit: str = "") -> Schema:
    """Return a whole number."""
    return _measured("integer", about, unit)


def share(about: str) -> Schema:
    """Return a number from 0 to 1."""
    return {"type": "number", "description": about, "minimum": 0, "maximum": 1}


def count(about: str) -> Schema:
    """Return how many there are of something."""
    return {"type": "integer", "description": about, "minimum": 0}


def flag(about: str) -> Schema:
    """Return true or false."""
    return {"type": "boolean", "description": about}


def day(about: str) -> Schema:
    """Return a date in India."""
    return {"type": "string", "format": "date", "description": about}


def moment(about: str) -> Schema:
    """Return a time."""
    return {"type": "integer", "format": "int64", "x-unit": "UTC seconds", "description": about}


def anything(about: str) -> Schema:
    """Return what its writer made of it."""
    return {"description": about}


def listed(about: str, items: Schema) -> Schema:
    """Return a list."""
    return {"type": "array", "description": about, "items": items}


def by_key(about: str, values: Schema) -> Schema:
    """Return an object whose names are no fields but keys, such as symbols."""
    return {"type": "object", "description": about, "additionalProperties": values}


def fields(about: str, absent: Iterable[str] = (), **properties: Schema) -> Schema:
    """Return an object of exactly these fields; some may be absent."""
    left_out = set(absent)
    return {
        "type": "object",
        "description": about,
        "properties": properties,
        "required": [name for name in properties if name not in left_out],
        "additionalProperties": False,
    }


def record(name: str, about: str, absent: Iterable[str] = (), **properties: Schema) -> Schema:
    """Return the same as a named object, described once however often it comes."""
    return {"title": name, **fields(about, absent, **properties)}


def one(about: str, named: Schema) -> Schema:
    """Return a named object as a field that says what it is there."""
    return {"$ref": named, "description": about}


def or_null(schema: Schema) -> Schema:
    """Return the same, or null where it is not known or not there."""
    if "type" not in schema:
        about = {"description": schema["description"]} if "description" in schema else {}
        return {"anyOf": [{"$ref": schema["$ref"]}, {"type": "null"}], **about}
    nullable = {**schema, "type": [schema["type"], "null"]}
    return {**nullable, "enum": [*schema["enum"], None]} if "enum" in schema else nullable


def hoist(node: Any, found: dict[str, Schema]) -> Any:
    """Return a schema with references in place of its named objects, which are added to `found`."""
    if isinstance(node, list):
        return [hoist(item, found) for item in node]
    if not isinstance(node, dict):
        return node
    plain = {key: hoist(value, found) for key, value in node.items()}
    if isinstance(plain.get("$ref"), dict):
        plain["$ref"] = plain["$ref"]["$ref"]
    name = plain.pop("title", None)
    if name is None:
        return plain
    if found.setdefault(name, plain) != plain:
        raise ValueError(f"two different objects are called {name}")
    return {"$ref": f"#/components/schemas/{name}"}


def _measured(kind: str, about: str, unit: str) -> Schema:
    return {"type": kind, "description": about, **({"x-unit": unit} if unit else {})}
