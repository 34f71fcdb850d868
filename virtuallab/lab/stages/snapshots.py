"""Preserved states: where they lie in a store, and how they are written and read.

States of small networks lie in one node, with one chunk for each subject. A state of a large
network is written when its visit happens, into a node of that visit, so that no process holds the
states of all visits.
"""

from __future__ import annotations

from collections.abc import Iterator

import jaxtyping as jt
import numpy as np
import xarray as xr

from virtuallab.lab.planning.network_group import NetworkGroup
from virtuallab.lab.planning.subject_table import design_coordinates
from virtuallab.lab.stages.nodes import SNAPSHOTS
from virtuallab.store import Store
from virtuallab.vocabulary import PARAMETER, VISIT


def snapshot_nodes(group: NetworkGroup, visits: int) -> list[str]:
    """Return the node of a group's states, or where they are large, those of each visit."""
    node = f"{SNAPSHOTS}/{group.name}"
    if not group.has_large_states:
        return [node]
    width = len(str(visits - 1))
    return [f"{node}/visit-{visit:0{width}d}" for visit in range(visits)]


def declare(store: Store, group: NetworkGroup, visits: xr.Dataset) -> None:
    """Make the nodes of a group's states.

    Parameters
    ----------
    store : Store
    group : NetworkGroup
    visits : xr.Dataset
        Coordinates of the visits.
    """
    layout, count = group.layout(), visits.sizes[VISIT]
    nothing = np.broadcast_to(np.float32(0), (count, layout.size))
    sample = xr.Dataset({"state": ((VISIT, PARAMETER), nothing)}, coords=visits.coords)
    coords = design_coordinates(store.subjects)
    nodes = snapshot_nodes(group, count)
    for visit, node in enumerate(nodes):
        one = sample if len(nodes) == 1 else sample.isel({VISIT: visit})
        store.declare(node, one, coords=coords, attributes={"layout": layout.to_json()})


class SubjectStates:
    """Writer of one subject's states, which come visit by visit.

    Parameters
    ----------
    store : Store
        The nodes are declared.
    group : NetworkGroup
        Of the subject.
    index : int
        Of the subject.
    visits : int
        Number of visits.
    """

    def __init__(self, store: Store, group: NetworkGroup, index: int, visits: int) -> None:
        self._store, self._index = store, index
        self._nodes = snapshot_nodes(group, visits)
        self._waiting: list[np.ndarray] = []
        self._written: dict[str, dict[str, str]] = {}

    def add(self, state: jt.Float[np.ndarray, " parameter"]) -> None:
        """Write the state of the next visit, or keep it until the last."""
        if len(self._nodes) > 1:
            self._write(self._nodes[len(self._written)], state)
        else:
            self._waiting.append(state)

    def finish(self) -> dict[str, dict[str, str]]:
        """Return the checksums of the states by node, after all visits were added."""
        if self._waiting:
            self._write(self._nodes[0], np.stack(self._waiting))
        return self._written

    def _write(self, node: str, values: np.ndarray) -> None:
        self._written[node] = self._store.write(node, self._index, {"state": values})


def preserved_states(store: Store, group: NetworkGroup, index: int) -> Iterator[np.ndarray]:
    """Yield the states of a preserved subject, (visit, parameter), some visits at a time.

    Parameters
    ----------
    store : Store
    group : NetworkGroup
        Of the subject.
    index : int
        Of the subject.
    """
    nodes = snapshot_nodes(group, len(store.plan["visits"]))
    for node in nodes:
        found = store.read(node, index)["state"].to_numpy()
        yield found if len(nodes) == 1 else found[None]
