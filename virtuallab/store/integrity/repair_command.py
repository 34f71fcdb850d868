"""The command that makes a damaged part of a store anew."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from virtuallab.store.layout.zarr_metadata import LEFT_OUT

_PROBE_NODES: Final = ("recordings", "features", "signal_removed")
_ANALYSES: Final = "decoding"


def repair_command(store: Path, node: str, attributes: Mapping[str, Any]) -> str:
    """Return the command that makes a node, or a part of it, anew.

    Parameters
    ----------
    store : Path
    node : str
        ``"features/utah"``; empty for the root.
    attributes : mapping
        Of the store's root, with its own protocol. Of a copy, they name what it does not have.
    """
    kind, name = _kind_and_name(node)
    path = shlex.quote(str(store))
    if LEFT_OUT in attributes and kind != _ANALYSES:  # nothing of a subject can be made anew
        return f"virtuallab export ORIGINAL.zarr {path} (after you have moved the copy away)"
    own = belongs_to_protocol(node, attributes)
    if kind in _PROBE_NODES and name and not own:
        return f"virtuallab probe {path} --protocol PROTOCOL.yaml (the protocol of probe {name!r})"
    if kind == _ANALYSES and name:
        of_other = f" --protocol PROTOCOL.yaml (the protocol of analysis {name!r})"
        return f"virtuallab decode {path}{'' if own else of_other}"
    return f"virtuallab run PROTOCOL.yaml --store {path}"


def stage_repair_command(store: Path, stage: str, attributes: Mapping[str, Any]) -> str:
    """Return the command that makes a damaged commit record of a stage anew."""
    is_probe = stage.startswith("probe-")
    node = f"features/{stage.removeprefix('probe-')}" if is_probe else stage
    return repair_command(store, node, attributes)


def is_probe_or_analysis(node: str) -> bool:
    """Return whether a node belongs to one probe or analysis, so that a store can do without it."""
    kind, name = _kind_and_name(node)
    return bool(name) and kind in (*_PROBE_NODES, _ANALYSES)


def belongs_to_protocol(node: str, attributes: Mapping[str, Any]) -> bool:
    """Return whether the store's own protocol has the probe or analysis of a node."""
    kind, name = _kind_and_name(node)
    section = "analyses" if kind == _ANALYSES else "probes"
    try:
        return name in json.loads(str(attributes["protocol_resolved"]))[section]
    except (KeyError, ValueError, TypeError, RecursionError):
        return True


def _kind_and_name(node: str) -> tuple[str, str]:
    kind, _, rest = node.partition("/")
    return kind, rest.partition("/")[0]
