"""The command that makes a part of a store anew."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

_PROBE_NODES: Final = ("recordings", "features", "signal_removed")


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
    kind, _, rest = node.partition("/")
    name = rest.partition("/")[0]
    path = shlex.quote(str(store))
    if kind in _PROBE_NODES and name and not _is_own("probes", name, attributes):
        return f"virtuallab probe {path} --protocol PROTOCOL.yaml (the protocol of probe {name!r})"
    if kind == "decoding" and name:
        if _is_own("analyses", name, attributes):
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


def _is_own(section: str, name: str, attributes: Mapping[str, Any]) -> bool:
    """Whether the store's own protocol has a probe or an analysis of this name."""
    try:
        resolved = json.loads(str(attributes["protocol_resolved"]))
        return name in resolved[section]
    except (KeyError, ValueError, TypeError):
        return True
