"""Schemas that every importer reads: no unions, no null types, no `const`, nothing beside a reference.

What a plain schema cannot say it leaves open: it may allow more than the 3.1 document does, never less, so that an
answer which fits the one fits the other. What is refused is decided by the service, not by a document.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Schema = dict[str, Any]

REFERENCE = "#/components/schemas/"
LONGEST_DESCRIPTION = 1_300  # Salesforce keeps 1,333 characters of a description
FORMATS = frozenset("int32 int64 float double byte binary date date-time password".split())
AS_THEY_ARE = (
    "title",
    "default",
    "minimum",
    "maximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
)
OF_ITS_KIND = {str: "string", bool: "boolean", int: "integer", float: "number"}


class PlainSchemas:
    """Makes plain schemas of a document's 3.1 schemas.

    Parameters
    ----------
    schemas : mapping of str to mapping
        The document's `components.schemas`.
    """

    def __init__(self, schemas: Mapping[str, Schema]) -> None:
        self._schemas = schemas

    def component(self, name: str) -> Schema:
        """The component of this name."""
        return self.of(self._schemas[name], frozenset({name}))

    def of(self, schema: Any, within: frozenset[str] = frozenset()) -> Schema:
        """The plain form of `schema`; `within` are the components that it is part of, in case one holds itself."""
        if not isinstance(schema, Mapping):  # true and false are schemas in 3.1
            return {}
        if "$ref" in schema:
            return {"$ref": schema["$ref"]}
        chosen, nullable = self._one_of_many(dict(schema), within)
        plain = chosen if "$ref" in chosen else self._plain(chosen, within)
        return self._may_be_null(plain, within) if nullable else plain

    def _one_of_many(self, schema: Schema, within: frozenset[str]) -> tuple[Schema, bool]:
        """`schema` without unions, and whether null fits it too; open where several kinds of value fit."""
        nullable = False
        if isinstance(schema.get("type"), list):
            kinds = [kind for kind in schema["type"] if kind != "null"]
            nullable = len(kinds) < len(schema["type"])
            schema = schema | {"type": kinds[0]} if len(kinds) == 1 else _only_words(schema)
        for union in ("anyOf", "oneOf"):
            branches = [branch for branch in schema.get(union, []) if branch.get("type") != "null"]
            nullable = nullable or len(branches) < len(schema.get(union, []))
            if branches:
                schema = _beside(schema, branches[0]) if len(branches) == 1 else _only_words(schema)
        if parts := schema.get("allOf"):
            schema = _beside(schema, parts[0] if len(parts) == 1 else self._together(parts, within))
        return schema, nullable

    def _together(self, parts: list[Schema], within: frozenset[str]) -> Schema:
        """One object with the properties of all parts."""
        whole: Schema = {"type": "object", "properties": {}, "required": []}
        for part in (self._resolved(part, within) for part in parts):
            whole["properties"] |= part.get("properties", {})
            whole["required"] = [*whole["required"], *part.get("required", [])]
        return whole

    def _may_be_null(self, plain: Schema, within: frozenset[str]) -> Schema:
        """With `nullable`, which may not stand beside a reference: there the component itself is written out."""
        if "$ref" in plain:
            plain = self.of(self._resolved(plain, within), within | {_name(plain)})
        return plain | {"nullable": True} if plain else plain

    def _resolved(self, schema: Schema, within: frozenset[str]) -> Schema:
        if "$ref" not in schema:
            return schema
        return {"type": "object"} if _name(schema) in within else self._schemas[_name(schema)]

    def _plain(self, schema: Schema, within: frozenset[str]) -> Schema:
        plain: Schema = {"type": schema["type"]} if isinstance(schema.get("type"), str) else {}
        plain |= {key: schema[key] for key in AS_THEY_ARE if schema.get(key) is not None}
        plain |= _values(schema) | _open_ends(schema) | _words(schema)
        if schema.get("format") in FORMATS:
            plain["format"] = schema["format"]
        elif plain.get("type") == "number":
            plain["format"] = "double"  # otherwise generators may pick a type of half the digits
        if "items" in schema or plain.get("type") == "array":
            plain |= {"type": "array", "items": self.of(schema.get("items"), within)}
        if "properties" in schema or plain.get("type") == "object":
            plain |= self._object(schema, within)
        return plain

    def _object(self, schema: Schema, within: frozenset[str]) -> Schema:
        """An object with named properties, or a map where it has none."""
        parts = {name: _named(name, self.of(part, within)) for name, part in schema.get("properties", {}).items()}
        if not parts:
            # A map to anything: generators make a dictionary of it, of a bare `type: object` a class without members.
            return {"type": "object", "additionalProperties": self.of(schema.get("additionalProperties"), within)}
        required = [name for name in dict.fromkeys(schema.get("required", [])) if name in parts]
        return {"type": "object", "properties": parts} | ({"required": required} if required else {})


def used(schema: Any) -> Iterator[str]:
    """The names of the components that a value refers to, at any depth."""
    if isinstance(schema, Mapping):
        if isinstance(schema.get("$ref"), str):
            yield _name(schema)
        for part in schema.values():
            yield from used(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from used(part)


def shortened(text: str) -> str:
    """A description that is short enough to be imported whole, its lines joined."""
    text = " ".join(text.split())
    return text if len(text) <= LONGEST_DESCRIPTION else f"{text[: LONGEST_DESCRIPTION - 1]}…"


def in_words(name: str) -> str:
    """A property's name as people would write it.

    >>> in_words("lead_id"), in_words("Idempotency-Key")
    ('Lead ID', 'Idempotency Key')
    """
    words = (word.capitalize() for word in name.replace("-", "_").split("_") if word)
    return " ".join("ID" if word == "Id" else word for word in words)


def _name(reference: Mapping[str, Any]) -> str:
    return str(reference["$ref"]).removeprefix(REFERENCE)


def _named(name: str, plain: Schema) -> Schema:
    """A property with the label that people know it by; nothing may stand beside a reference."""
    return plain if "$ref" in plain else plain | {"title": plain.get("title", in_words(name))}


def _only_words(schema: Schema) -> Schema:
    return {key: schema[key] for key in ("title", "description") if key in schema}


def _beside(schema: Schema, chosen: Schema) -> Schema:
    """The chosen branch of a union, with what the union says about itself; a reference stays alone."""
    return {"$ref": chosen["$ref"]} if "$ref" in chosen else chosen | _only_words(schema)


def _words(schema: Schema) -> Schema:
    words: Schema = {"description": shortened(schema["description"])} if schema.get("description") else {}
    examples = schema.get("examples")
    if isinstance(examples, list) and examples:
        words["example"] = examples[0]
    elif "example" in schema:
        words["example"] = schema["example"]
    return words


def _values(schema: Schema) -> Schema:
    """The values that are allowed, where they are listed."""
    values = [schema["const"]] if "const" in schema else schema.get("enum")
    if not values:
        return {}
    named = [value for value in values if value is not None]
    kinds = {OF_ITS_KIND.get(type(value)) for value in named}
    if len(kinds) != 1 or None in kinds:
        return {}  # values of several kinds have no type, and without one null cannot be allowed
    return {"type": kinds.pop(), "enum": named} | ({"nullable": True} if None in values else {})


def _open_ends(schema: Schema) -> Schema:
    """Bounds that do not belong to the range: a number of its own in 3.1, a flag beside the bound before."""
    plain: Schema = {}
    for end, flag in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if isinstance(schema.get(flag), (int, float)) and not isinstance(schema.get(flag), bool):
            plain |= {end: schema[flag], flag: True}
    return plain
