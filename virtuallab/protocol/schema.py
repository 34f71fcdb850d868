"""The JSON Schema of protocols, from which editors complete, check and explain keys."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from virtuallab.protocol.model import Protocol
from virtuallab.registry import CLASSIFIERS, STATISTICS

_OF_THE_KEY = ("title", "description", "default")  # differ between keys that take the same values
_LONG = 300  # characters; longer forms are written once


def document() -> dict[str, Any]:
    """Return the JSON Schema, draft 2020-12, with all plug-ins that are installed."""
    body = Protocol.model_json_schema()
    # Fields that hold names of plug-ins are typed as text.
    _allow_names(body["$defs"]["Analysis"]["properties"]["classifiers"], CLASSIFIERS)
    for section in ("Probe", "Design"):
        _allow_names(body["$defs"][section]["properties"]["statistics"], STATISTICS)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **_shared(body),
        "title": "virtuallab protocol",
    }


def _allow_names(schema: dict[str, Any], names: Iterable[str]) -> None:
    """Restrict every text within a schema to some names; the schema is changed in place."""
    for each in (schema, *_below(schema)):
        if each.get("type") == "string":
            each["enum"] = list(names)


def text() -> str:
    """Return the JSON Schema as it is committed: indented, with a last newline."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


def _shared(body: dict[str, Any]) -> dict[str, Any]:
    """Write long forms that occur more than once as definitions, ``form-1`` and so on.

    The grids and distributions that a setting may take are sixty lines; there are two hundred such
    settings, of a dozen types.
    """
    counts = Counter(map(_form, _below(body)))
    names: dict[str, str] = {}
    shared: dict[str, Any] = {}

    def written(schema: dict[str, Any]) -> dict[str, Any]:
        form = _form(schema)
        if counts[form] == 1 or len(form) < _LONG:
            return _each(schema, written)
        if form not in names:
            names[form] = name = f"form-{len(names) + 1}"
            shared[name] = {}  # comes before the definitions inside it
            shared[name] = _each(json.loads(form), written)
        own = {key: schema[key] for key in _OF_THE_KEY if key in schema}
        return {"$ref": f"#/$defs/{names[form]}", **own}

    sections = {name: _each(each, written) for name, each in body["$defs"].items()}
    return {**_each(body, written), "$defs": {**sections, **shared}}


def _form(schema: dict[str, Any]) -> str:
    """Return what a schema allows, as text, without the description of one key."""
    return json.dumps({key: each for key, each in schema.items() if key not in _OF_THE_KEY})


def _each(schema: dict[str, Any], written: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    """Return a schema with ``written`` applied to those directly inside it; no definitions."""
    made: dict[str, Any] = {}
    for key, value in schema.items():
        if key in ("properties", "patternProperties"):
            made[key] = {name: written(each) for name, each in value.items()}
        elif key in ("anyOf", "oneOf", "allOf"):
            made[key] = [written(each) for each in value]
        elif key in ("items", "additionalProperties") and isinstance(value, dict):
            made[key] = written(value)
        elif key != "$defs":
            made[key] = value
    return made


def _below(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every schema inside one, those of its definitions included."""
    inside: list[dict[str, Any]] = []
    for each in (schema, *schema.get("$defs", {}).values()):
        _each(each, inside.append)
    for each in inside:
        yield each
        yield from _below(each)


def with_moved_schema(protocol: str, before: Path, after: Path) -> str:
    """Return the text of a protocol with the path of its schema adapted to another folder.

    Parameters
    ----------
    protocol : str
        Text of a protocol.
    before, after : Path
        Folders of the protocol.
    """

    def moved(line: re.Match[str]) -> str:
        return line[1] + Path(os.path.relpath(before / line[2], after)).as_posix()

    return re.sub(r"(# yaml-language-server: \$schema=)(\.\S+)", moved, protocol, count=1)
