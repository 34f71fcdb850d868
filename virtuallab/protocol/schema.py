"""The JSON Schema of protocols, from which editors complete, check and explain keys."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from virtuallab.protocol.model import Protocol
from virtuallab.registry import CLASSIFIERS


def document() -> dict[str, Any]:
    """Return the schema, draft 2020-12, with all plug-ins that are installed."""
    body = Protocol.model_json_schema()
    # An analysis keeps its classifiers by name, as text: that these are plug-ins only we know.
    several, one = body["$defs"]["Analysis"]["properties"]["classifiers"]["anyOf"]
    one["enum"] = several["items"]["enum"] = list(CLASSIFIERS)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **body,
        "title": "virtuallab protocol",
    }


def text() -> str:
    """Return the schema as it is committed: indented, with a last newline."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


def repointed(protocol: str, before: Path, after: Path) -> str:
    """Let the line that names the schema to an editor find it from another folder.

    Parameters
    ----------
    protocol : str
        Text of a protocol.
    before, after : Path
        Folders it was in, and will be in.
    """

    def moved(line: re.Match[str]) -> str:
        return line[1] + Path(os.path.relpath(before / line[2], after)).as_posix()

    return re.sub(r"(# yaml-language-server: \$schema=)(\.\S+)", moved, protocol, count=1)
