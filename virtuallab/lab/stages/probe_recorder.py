"""Recording of a plan's subjects with its probes, and storage of what the probes keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import xarray as xr

from virtuallab import seeds
from virtuallab.lab.planning.network_group import NetworkGroup
from virtuallab.lab.planning.plan import Plan
from virtuallab.lab.services.progress import Advance
from virtuallab.lab.services.workers import Stop
from virtuallab.lab.stages.nodes import feature_node, noise_node, recording_node, stage
from virtuallab.lab.stages.reference import reference
from virtuallab.lab.stages.subject_recorder import PlannedRecording, SubjectRecorder
from virtuallab.probes import Probe
from virtuallab.probes.statistics.features import features
from virtuallab.store import Store
from virtuallab.vocabulary import LAYER


class ProbeRecorder:
    """Probes that record the subjects of a plan, each subject once.

    A probe's choice of units and its noise depend on the protocol's seed, on the subject and on the
    probe's name, and on nothing else.

    Parameters
    ----------
    plan : Plan
    store : Store
        It keeps the reference networks, and the nodes of the probes are declared.
    probes : mapping from name to Probe
    """

    def __init__(self, plan: Plan, store: Store, probes: Mapping[str, Probe]) -> None:
        self._plan, self._store, self._probes = plan, store, probes
        self._recorded = {name: store.committed(stage(name)) for name in probes}
        seed, groups = plan.protocol.seed, plan.network_groups
        self._references = {group.name: reference(store, group, seed) for group in groups}
        self._calibrations = {
            name: dict(zip(probes, each.calibrations(probes.values()), strict=True))
            for name, each in self._references.items()
        }

    def missing(self, index: int) -> list[str]:
        """Names of the probes that have not recorded a subject."""
        return [name for name in self._probes if index not in self._recorded[name]]

    def recorder(self, group: NetworkGroup, index: int) -> SubjectRecorder:
        """Recorder of a subject with all probes that are missing.

        Parameters
        ----------
        group : NetworkGroup
            Of the subject.
        index : int
        """
        seed, key = self._plan.protocol.seed, self._plan.subjects[index].key
        planned = [
            PlannedRecording(
                self._probes[name],
                self._calibrations[group.name][name],
                partial(seeds.generator, seed, key, seeds.PROBE_CHOICE, name),
                partial(seeds.generator, seed, key, seeds.PROBE_NOISE, name),
            )
            for name in self.missing(index)
        ]
        return SubjectRecorder(self._references[group.name], key, len(self._plan.visits), planned)

    def keep(
        self,
        group: NetworkGroup,
        index: int,
        recorder: SubjectRecorder,
        stop: Stop,
        advance: Advance = lambda _: None,
    ) -> None:
        """Store what the missing probes have recorded of a subject.

        Parameters
        ----------
        group : NetworkGroup
            Of the subject.
        index : int
        recorder : SubjectRecorder
            To which all visits were added.
        stop : Stop
        advance : callable, optional
            Called with the number of recordings stored, each time.
        """
        key, store = self._plan.subjects[index].key, self._store
        names, recordings = self.missing(index), recorder.finish()
        for name in names:
            stop.check()
            probe = self._probes[name]
            seen, of_noise = next(recordings)
            found = {feature_node(name): features(seen, probe.statistics)}
            if of_noise is not None:
                found[noise_node(name)] = features(of_noise, probe.statistics)
            checksums = {}
            if probe.keep == "recording":
                node = recording_node(name, group.name)
                checksums[node] = store.write(node, index, seen)
            for node, each in found.items():
                checksums[node] = store.write(node, index, placed(each, self._plan.layers))
            store.commit(stage(name), index, {"key": key, "checksums": checksums})
            advance(1)


def placed(found: xr.Dataset, layers: Sequence[str]) -> xr.Dataset:
    """Put the features of one group's layers among those of all; absent layers are NaN."""
    wide = found.drop_vars(["layer_depth", "depth_group"])
    return wide.reindex({LAYER: np.array(layers, dtype=object)}, fill_value=_ABSENT)


_ABSENT = {"stat": np.nan, "change": np.nan, "flag": np.int8(0)}
