"""Recording of a plan's subjects with its probes, and storage of what the probes keep."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import xarray as xr

from virtuallab import seeds
from virtuallab.lab.planning.network_group import NetworkGroup
from virtuallab.lab.planning.plan import Plan
from virtuallab.lab.services.workers import Stop
from virtuallab.lab.stages.nodes import feature_node, noise_node, recording_node, stage
from virtuallab.lab.stages.reference import SubjectReference, reference
from virtuallab.lab.stages.subject_recorder import PlannedRecording, SubjectRecorder
from virtuallab.probes import Probe
from virtuallab.probes.statistics.features import features
from virtuallab.store import Store
from virtuallab.vocabulary import LAYER


@dataclass(frozen=True)
class RecordedProbe:
    """Recording and features of one subject by one probe.

    Parameters
    ----------
    index : int
        Of the subject.
    probe : str
        Its name.
    recording : xr.Dataset or None
        None if the probe keeps features only.
    features : xr.Dataset
    noise : xr.Dataset or None
        Features of the noise without the signal; None if the probe has no noise.
    """

    index: int
    probe: str
    recording: xr.Dataset | None
    features: xr.Dataset
    noise: xr.Dataset | None


@dataclass(frozen=True)
class SubjectRecording:
    """Recording of one subject with the probes that are missing, without access to the store.

    Parameters
    ----------
    index : int
        Of the subject.
    reference : SubjectReference
    visits : int
        Number of visits of the subject.
    planned : mapping from name of the probe to PlannedRecording
    """

    index: int
    reference: SubjectReference
    visits: int
    planned: Mapping[str, PlannedRecording]

    def recorder(self) -> SubjectRecorder:
        """Return a recorder, to which the states of all visits are to be added."""
        return SubjectRecorder(self.reference, self.visits, [*self.planned.values()])

    def recorded(self, recorder: SubjectRecorder, stop: Stop) -> Iterator[RecordedProbe]:
        """Yield what each probe has recorded.

        Parameters
        ----------
        recorder : SubjectRecorder
            To which all visits were added.
        stop : Stop
        """
        recordings = recorder.finish()
        for name, planned in self.planned.items():
            stop.check()
            seen, of_noise = next(recordings)
            statistics = planned.probe.statistics
            yield RecordedProbe(
                index=self.index,
                probe=name,
                recording=seen if planned.probe.keep == "recording" else None,
                features=features(seen, statistics),
                noise=None if of_noise is None else features(of_noise, statistics),
            )


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
        self._recorded = {name: store.committed_subjects(stage(name)) for name in probes}
        seed, groups = plan.protocol.seed, plan.network_groups
        self._references = {group.name: reference(store, group, seed) for group in groups}
        self._calibrations = {
            name: dict(zip(probes, each.calibrations(probes.values()), strict=True))
            for name, each in self._references.items()
        }

    def missing(self, index: int) -> list[str]:
        """Names of the probes that have not recorded a subject."""
        return [name for name in self._probes if index not in self._recorded[name]]

    def recording(self, group: NetworkGroup, index: int) -> SubjectRecording:
        """Recording of a subject with all probes that are missing.

        Parameters
        ----------
        group : NetworkGroup
            Of the subject.
        index : int
        """
        seed, key = self._plan.protocol.seed, self._plan.subjects[index].key
        planned = {
            name: PlannedRecording(
                self._probes[name],
                self._calibrations[group.name][name],
                partial(seeds.generator, seed, key, seeds.PROBE_CHOICE, name),
                partial(seeds.generator, seed, key, seeds.PROBE_NOISE, name),
            )
            for name in self.missing(index)
        }
        of_subject = self._references[group.name].of_subject(key)
        return SubjectRecording(index, of_subject, len(self._plan.visits), planned)

    def keep(self, group: NetworkGroup, found: RecordedProbe) -> None:
        """Store what a probe has recorded of a subject.

        Parameters
        ----------
        group : NetworkGroup
            Of the subject.
        found : RecordedProbe
        """
        index, name, store = found.index, found.probe, self._store
        nodes = {feature_node(name): found.features}
        if found.noise is not None:
            nodes[noise_node(name)] = found.noise
        checksums = {}
        if found.recording is not None:
            node = recording_node(name, group.name)
            checksums[node] = store.write(node, index, found.recording)
        for node, each in nodes.items():
            checksums[node] = store.write(node, index, placed(each, self._plan.layers))
        key = self._plan.subjects[index].key
        store.commit(stage(name), index, {"key": key, "checksums": checksums})


def placed(found: xr.Dataset, layers: Sequence[str]) -> xr.Dataset:
    """Put the features of one group's layers among those of all; absent layers are NaN."""
    wide = found.drop_vars(["layer_depth", "depth_group"])
    return wide.reindex({LAYER: np.array(layers, dtype=object)}, fill_value=_ABSENT)


_ABSENT = {"stat": np.nan, "change": np.nan, "flag": np.int8(0)}
