"""Reference networks: built like the subjects, never trained, and of random streams of their own.

Probes are calibrated on them (:mod:`virtuallab.probes.noise.calibration`), and the control that
removes the signal records them in place of the subjects. The store keeps them, so that a probe that
is implanted later is calibrated on the same networks. They depend on no rule and on no subject.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from virtuallab import seeds
from virtuallab.lab.planning.network_group import N_REFERENCES, NetworkGroup
from virtuallab.lab.stages.nodes import REFERENCES
from virtuallab.probes import Probe
from virtuallab.probes.noise.calibration import ProbeCalibration
from virtuallab.probes.preparation import StaticPreparation
from virtuallab.store import Store
from virtuallab.subject.network.initialization import initialized_network
from virtuallab.subject.network.population import populate
from virtuallab.subject.preparation import PreparedSubject, prepare
from virtuallab.vocabulary import NETWORK, PARAMETER, describe


def node(group: NetworkGroup) -> str:
    """Return where the reference networks of a group lie."""
    return f"{REFERENCES}/{group.name}"


def keep(store: Store, network_groups: Sequence[NetworkGroup], seed: int) -> None:
    """Put the reference networks of each group into a store, where they are missing or damaged.

    Parameters
    ----------
    store : Store
    network_groups : sequence of NetworkGroup
    seed : int
        The protocol's seed.
    """
    there = store.nodes()
    for group in network_groups:
        if node(group) in there and not store.is_damaged(node(group)):
            continue
        state = xr.Variable((NETWORK, PARAMETER), untrained_states(group, seed), describe("state"))
        networks = xr.Variable(NETWORK, np.arange(N_REFERENCES), describe(NETWORK))
        kept = xr.Dataset({"state": state}, {NETWORK: networks})
        kept.attrs["layout"] = group.layout().to_json()
        store.write_table(node(group), kept)


@dataclass(frozen=True)
class Reference:
    """The reference networks of one group.

    Parameters
    ----------
    group : NetworkGroup
    states : array, (network, parameter)
    seed : int
        The protocol's seed.
    """

    group: NetworkGroup
    states: np.ndarray
    seed: int

    def calibrations(self, probes: Iterable[Probe]) -> list[ProbeCalibration | None]:
        """Set each of some probes on all of the networks; None for one that needs no signal."""
        at_once, _ = self.group.part_size(len(self.states))
        first, *rest = np.split(self.states, 1 if at_once == len(self.states) else len(self.states))
        networks = self._prepared(first)
        return [
            probe.calibrate(
                networks, self._stream("calibration"), lambda: map(self._prepared, rest)
            )
            if probe.resolved.is_noisy or probe.resolved.uses_typical_responses
            else None
            for probe in probes
        ]

    def of_subject(self, key: str) -> SubjectReference:
        """Return the network that is recorded in the place of a subject.

        Parameters
        ----------
        key : str
            The subject's: it decides which of the networks.
        """
        which = int(self._stream(key).integers(len(self.states)))
        return SubjectReference(self.group, self.states[which : which + 1])

    def _prepared(self, states: np.ndarray) -> PreparedSubject:
        return prepare(self.group.architecture, self.group.task, states)

    def _stream(self, purpose: str) -> np.random.Generator:
        return seeds.generator(self.seed, seeds.REFERENCE, self.group.identity, purpose)


@dataclass(frozen=True)
class SubjectReference:
    """The reference network of one subject.

    Parameters
    ----------
    group : NetworkGroup
    state : array, (1, parameter)
    """

    group: NetworkGroup
    state: np.ndarray

    def unchanging(self, visits: int, stimuli: range | None = None) -> StaticPreparation:
        """Return what is recorded in the place of the subject, once its signal is removed.

        Parameters
        ----------
        visits : int
        stimuli : range, optional
            Those that are shown; all if not given.
        """
        shown = None if stimuli is None else np.asarray(stimuli)
        group = self.group
        return StaticPreparation(prepare(group.architecture, group.task, self.state, shown), visits)


def reference(store: Store, group: NetworkGroup, seed: int) -> Reference:
    """Return the reference networks that a store keeps.

    Raises
    ------
    MachineError
        If they are damaged.
    """
    return Reference(group, store.read(node(group))["state"].to_numpy(), seed)


def untrained_states(group: NetworkGroup, seed: int) -> np.ndarray:
    """Return the parameters of a group's reference networks, (network, parameter)."""
    states = np.empty((N_REFERENCES, group.layout().size), dtype=np.float32)
    for number, state in enumerate(states):  # one by one: networks may be large
        key = seeds.integer(seed, seeds.REFERENCE, group.identity, str(number))
        network = initialized_network(group.architecture, group.task, key)
        state[:] = group.layout().flatten(populate([network])).numpy()[0]
    return states
