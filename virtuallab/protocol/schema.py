"""The JSON Schema of protocols, from which editors complete, check and explain keys."""

from __future__ import annotations

import json
from typing import Any

from virtuallab.protocol.model import Protocol
from virtuallab.registry import CLASSIFIERS


def document() -> dict[str, Any]:
    """Return the schema, draft 2020-12, with all plug-ins that are installed."""
    body = Protocol.model_json_schema()
    # An analysis keeps its classifiers by name, as text: that these are plug-ins only we know.
    body["$defs"]["Analysis"]["properties"]["classifiers"]["items"]["enum"] = list(CLASSIFIERS)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **body,
        "title": "virtuallab protocol",
    }


def text() -> str:
    """Return the schema as it is committed: indented, with a last newline."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"
