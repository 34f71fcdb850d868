"""The command that makes a part of a store anew."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

_PROBE_NODES: Final = ("recordings", "features", "signal_removed")
_ANALYSES: Final = "decoding"


def of_node(store: Path, node: str, attributes: Mapping[str, Any]) -> str:
    """Return what to type to have a damaged node, or a part of it, made anew.

    Parameters
    ----------
    store : Path
    node : str
        ``"features/utah"``; empty for the root.
    attributes : mapping
        Attributes of the store's root, with the protocol that it was made from.
    """
    kind, name = _kind_and_name(node)
    path = shlex.quote(str(store))
    if kind in _PROBE_NODES and name and not is_own(node, attributes):
        return f"virtuallab probe {path} --protocol PROTOCOL.yaml (the protocol of probe {name!r})"
    if kind == _ANALYSES and name:
        if is_own(node, attributes):
            return f"virtuallab decode {path}"
        return (
            f"virtuallab decode {path} --protocol PROTOCOL.yaml (the protocol of analysis {name!r})"
        )
    return f"virtuallab run PROTOCOL.yaml --store {path}"


def of_stage(store: Path, stage: str, attributes: Mapping[str, Any]) -> str:
    """Return what to type to have a damaged commit record of a stage made anew."""
    is_probe = stage.startswith("probe-")
    node = f"features/{stage.removeprefix('probe-')}" if is_probe else stage
    return of_node(store, node, attributes)


def is_part(node: str) -> bool:
    """Whether a node belongs to one probe or one analysis; without it a store is still whole."""
    kind, name = _kind_and_name(node)
    return bool(name) and kind in (*_PROBE_NODES, _ANALYSES)


def is_own(node: str, attributes: Mapping[str, Any]) -> bool:
    """Whether the store's own protocol has the probe or the analysis that a node belongs to."""
    kind, name = _kind_and_name(node)
    section = "analyses" if kind == _ANALYSES else "probes"
    try:
        resolved = json.loads(str(attributes["protocol_resolved"]))
        return name in resolved[section]
    except (KeyError, ValueError, TypeError):
        return True


def _kind_and_name(node: str) -> tuple[str, str]:
    kind, _, rest = node.partition("/")
    return kind, rest.partition("/")[0]
