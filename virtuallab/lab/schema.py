"""The JSON Schema of protocols, had at once where no plug-in is installed."""

from __future__ import annotations

from importlib.resources import files

from virtuallab.registry import REGISTRIES

SHIPPED = files("virtuallab") / "protocol" / "protocol.schema.json"


def text() -> str:
    """Return the schema with all plug-ins that are installed.

    It comes ready made with the package, for to make it takes as long as ten times the start of
    Python. Where plug-ins from outside are declared or registered it is made anew.
    """
    if all(registry.is_as_shipped() for registry in REGISTRIES):
        return SHIPPED.read_text("utf-8")
    from virtuallab.protocol import schema

    return schema.text()
