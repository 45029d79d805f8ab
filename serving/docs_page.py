"""The API documentation as one page without scripts: it needs no network, and says the same as the OpenAPI document."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from features.text import Language

STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1f24;background:#fff}
h2{margin-top:2.5rem;border-top:1px solid #ccd;padding-top:1rem}code,pre{font:14px/1.45 ui-monospace,monospace}
pre{background:#f3f4f7;padding:.8rem;overflow-x:auto;border-radius:4px}table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:.35rem .6rem;border-bottom:1px solid #dde}
"""
DOCUMENTS = (
    ("openapi.json", "OpenAPI 3.1"),
    ("openapi-3.0.json", "OpenAPI 3.0 (Salesforce)"),
    ("swagger.json", "Swagger 2.0 (Power Platform)"),
)
WORDS: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "title": "Lead Quality: the API",
        "lead": "For programs",
        "fields": "Fields of a lead",
        "none": "No model is in service yet, so the fields are not known. /readyz says why.",
        "field": "Field",
        "type": "Type",
        "label": "Label",
        "values": "Values",
        "try": "Try it",
        "answers": "Answers",
        "shapes": "Shapes of the answers",
    },
    "de": {
        "title": "Lead Quality: die API",
        "lead": "Für Programme",
        "fields": "Felder eines Leads",
        "none": "Noch ist kein Modell im Einsatz, darum sind die Felder nicht bekannt. /readyz nennt den Grund.",
        "field": "Feld",
        "type": "Typ",
        "label": "Bezeichnung",
        "values": "Werte",
        "try": "Ausprobieren",
        "answers": "Antworten",
        "shapes": "Form der Antworten",
    },
}


def docs_page(document: Mapping[str, Any], language: Language, base_url: str) -> str:
    """The page as HTML.

    Parameters
    ----------
    document : mapping
        The OpenAPI 3.1 document, its texts in `language`.
    language : {"de", "en"}
        Of the page's own words and of the labels of fields.
    base_url : str
        Where the service is, for the calls to try out.
    """
    words = WORDS[language]
    operations = "".join(
        _operation(method, path, operation, base_url, words)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method != "parameters"
    )
    schemas = document["components"]["schemas"]
    title = escape(words["title"])
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body><main><h1>{title}</h1>'
        f"<p>{escape(document['info']['description'])}</p>"
        f"<p>{escape(words['lead'])}: {', '.join(_link(*each) for each in DOCUMENTS)}.</p>"
        f"{operations}<h2>{escape(words['fields'])}</h2>{_fields(schemas['LeadFields'], language)}"
        f"<h2>{escape(words['shapes'])}</h2>{_shapes(schemas, words)}</main></body></html>"
    )


def _link(target: str, name: str) -> str:
    return f'<a href="{target}">{escape(name)}</a> <code>/{target}</code>'


def _operation(method: str, path: str, operation: Mapping[str, Any], base_url: str, words: Mapping[str, str]) -> str:
    answers = _table(
        ["HTTP", words["answers"]], ([code, told["description"]] for code, told in operation["responses"].items())
    )
    text = f"<h2><code>{method.upper()} {escape(path)}</code></h2><p><strong>{escape(operation['summary'])}.</strong> "
    text += f"{escape(operation.get('description', ''))}</p>{answers}<h3>{escape(words['try'])}</h3>"
    return text + f"<pre>{escape(_curl(method, base_url + path, operation))}</pre>"


def _curl(method: str, url: str, operation: Mapping[str, Any]) -> str:
    call = f"curl '{re.sub('{[^}]*}', 'EXAMPLE-1', url)}'"
    call += "" if method in ("get", "post") else f" -X {method.upper()}"
    if operation.get("security") != []:
        call += " -H 'X-API-Key: …'"
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return call + (" -X POST" if method == "post" else "")
    example: Any = next((example["value"] for example in content.get("examples", {}).values()), {})
    text = json.dumps(example, ensure_ascii=False, indent=1).replace("'", "'\\''")
    return f"{call} -H 'Content-Type: application/json' -d '{text}'"


def _fields(schema: Mapping[str, Any], language: Language) -> str:
    words = WORDS[language]
    if not schema["properties"]:
        return f"<p>{escape(words['none'])}</p>"
    rows = (
        [name, field["type"], field[f"x-label-{language}"], _values(field, language)]
        for name, field in schema["properties"].items()
    )
    return _table([words["field"], words["type"], words["label"], words["values"]], rows)


def _values(field: Mapping[str, Any], language: Language) -> str:
    if "x-levels" in field:
        return ", ".join(
            level["value"] if level["value"] == level[language] else f"{level['value']} ({level[language]})"
            for level in field["x-levels"]
        )
    bounds = [f"≥ {field['minimum']:g}"] if "minimum" in field else []
    bounds += [f"≤ {field['maximum']:g}"] if "maximum" in field else []
    return ", ".join(bounds or map(str, field.get("examples", [])))


def _shapes(schemas: Mapping[str, Any], words: Mapping[str, str]) -> str:
    parts = []
    for name, schema in schemas.items():
        rows = (
            [part, _type(about), about.get("description", "")] for part, about in schema.get("properties", {}).items()
        )
        table = _table([words["field"], words["type"], ""], rows)
        parts.append(f"<h3><code>{escape(name)}</code></h3><p>{escape(schema.get('description', ''))}</p>{table}")
    return "".join(parts)


def _type(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "items" in schema:
        return f"[{_type(schema['items'])}]"
    return " | ".join(map(str, schema["enum"])) if "enum" in schema else str(schema.get("type", ""))


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = "".join(f"<th>{escape(text)}</th>" for text in heads)
    body = "".join("<tr>" + "".join(f"<td>{escape(str(text))}</td>" for text in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
