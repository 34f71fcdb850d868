"""Second stage: implant probes in preserved subjects, and store their recordings."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

import numpy as np
import xarray as xr
from pydantic import ValidationError

from virtuallab.errors import MachineError, StoreError
from virtuallab.lab.planning.network_group import NetworkGroup
from virtuallab.lab.planning.plan import Plan
from virtuallab.lab.planning.subject_table import design_coordinates
from virtuallab.lab.services.progress import Advance
from virtuallab.lab.services.workers import Emit, Piece, Stop, WorkerPool
from virtuallab.lab.stages.nodes import (
    feature_node,
    living,
    noise_node,
    probes_in,
    recording_node,
    recordings_of,
)
from virtuallab.lab.stages.probe_recorder import (
    ProbeRecorder,
    RecordedProbe,
    SubjectRecording,
    placed,
)
from virtuallab.lab.stages.reference import Reference, reference
from virtuallab.lab.stages.snapshots import preserved_states
from virtuallab.probes import Probe
from virtuallab.probes.device import probeinterface_json
from virtuallab.probes.noise.calibration import ProbeCalibration
from virtuallab.probes.statistics.features import features
from virtuallab.protocol.differences import differences
from virtuallab.protocol.messages.explain import faults_of
from virtuallab.protocol.settings.plugin_spec import plain
from virtuallab.protocol.settings.readers import adapter
from virtuallab.store import Store
from virtuallab.vocabulary import CHOSEN, LAYER, SUBJECT, VISIT, describe


def record_probes(
    plan: Plan, store: Store, probes: Mapping[str, Probe], pool: WorkerPool, advance: Advance
) -> None:
    """Record every preserved subject with every probe that has not recorded it yet.

    Parameters
    ----------
    plan : Plan
    store : Store
        The nodes of the probes are declared.
    probes : mapping from name to Probe
    pool : WorkerPool
        Its workers record a subject each.
    advance : callable
        Called with the number of recordings stored, each time.
    """
    recorder, preserved = ProbeRecorder(plan, store, probes), living(store)

    def keep(group: NetworkGroup, found: RecordedProbe) -> None:
        recorder.keep(group, found)
        advance(1)

    pieces = [
        Piece(
            compute=partial(record_states, recorder.recording(group, index)),
            receive=partial(keep, group),
            inputs=partial(preserved_states, store, group, index),
        )
        for group in plan.network_groups
        for index in group.members
        if index in preserved and recorder.missing(index)
    ]
    pool.run(pieces)


def record_states(
    recording: SubjectRecording, states: Iterable[np.ndarray], emit: Emit, stop: Stop
) -> None:
    """Record a subject from its preserved states.

    Parameters
    ----------
    recording : SubjectRecording
    states : iterable of array, (visit, parameter)
        Of all visits, some at a time.
    emit : callable
        Called with a :class:`RecordedProbe` for each probe.
    stop : Stop
    """
    recorder = recording.recorder()
    for some in states:
        recorder.add(some)
    for found in recording.recorded(recorder, stop):
        emit(found)


def declare(plan: Plan, store: Store, probes: Mapping[str, Probe]) -> None:
    """Make the nodes of probes; if a node exists, check that its probe has the same settings.

    Parameters
    ----------
    plan : Plan
    store : Store
        It keeps the reference networks.
    probes : mapping from name to Probe
    """
    references = [reference(store, group, plan.protocol.seed) for group in plan.network_groups]
    design = design_coordinates(plan.to_dataset())
    for name, probe in probes.items():  # all of them, before anything is added to the store
        _refuse_another(store, name, _written(probe))
    for name, probe in probes.items():
        _declare(plan, store, references, name, probe, design)


def _written(probe: Probe) -> str:
    return json.dumps(plain(probe), sort_keys=True)


def probe_in(store: Store, name: str) -> Probe:
    """Return a probe with the settings that the store keeps.

    Raises
    ------
    StoreError
        If a plug-in that it names does not exist.
    """
    own = (feature_node(name), f"{recordings_of(name)}/")
    node = next(each for each in store.nodes() if each == own[0] or each.startswith(own[1]))
    written = json.loads(str(store.read(node).attrs["probe"]))
    try:
        found: Probe = adapter(Probe).validate_python(written)
    except ValidationError as error:
        [(place, message), *_] = faults_of(error)
        where = ".".join(map(str, ("probes", name, *place)))
        raise StoreError(
            f"{store.path}: {where}: {message} Name the file of the plug-in with --plugin."
        ) from None
    return found


def _declare(
    plan: Plan,
    store: Store,
    references: Sequence[Reference],
    name: str,
    probe: Probe,
    design: Mapping[str, xr.DataArray],
) -> None:
    """Make the nodes of a probe, with the shapes of a recording."""
    subjects, layers, visits = plan.subjects, plan.layers, plan.visit_coordinates
    contacts = probeinterface_json(probe.device)
    attributes = {
        **_origin(store.provenance),
        "probe": _written(probe),
        **({} if contacts is None else {"probeinterface": contacts}),
    }
    depth = np.full((len(subjects), len(layers)), np.nan, dtype=np.float32)
    depth_group = np.full((len(subjects), len(layers)), -1, dtype=np.int8)
    sample = xr.Dataset()
    for each in references:
        group, [calibration] = each.group, each.calibrations([probe])
        outline, stream = group.outline(visits.sizes[VISIT]), np.random.default_rng(0)
        found = probe.implant(outline, stream).record(outline, stream, calibration)
        seen = _with_times(found, visits)
        if probe.keep == "recording":
            node = recording_node(name, group.name)
            own = [chosen for chosen in CHOSEN if chosen in seen.coords]
            noise = {} if calibration is None else {"noise": _of_noise(probe, calibration)}
            store.declare(node, seen, coords=design, own=own, attributes={**attributes, **noise})
        found = features(seen, probe.statistics)
        sample = placed(found, layers)
        columns = [layers.index(str(layer)) for layer in found[LAYER].values]
        rows = np.array(group.members)[:, None]
        depth[rows, columns] = found["layer_depth"].values
        depth_group[rows, columns] = found["depth_group"].values
    coords = {
        **design,
        "layer_depth": xr.DataArray(depth, dims=(SUBJECT, LAYER), attrs=describe("layer_depth")),
        "depth_group": xr.DataArray(
            depth_group, dims=(SUBJECT, LAYER), attrs=describe("depth_group")
        ),
    }
    store.declare(feature_node(name), sample, coords=coords, attributes=attributes)
    if probe.resolved.is_noisy:
        store.declare(noise_node(name), sample, coords=coords, attributes=attributes)


def _of_noise(probe: Probe, calibration: ProbeCalibration) -> str:
    """Return the standard deviations of noise and the typical responses by layer, as JSON."""
    design = probe.resolved
    found: dict[str, dict[str, float]] = {
        name: {layer: design.noise.deviation(spread) for layer, spread in of.items()}
        for name, of in calibration.spreads.items()
    }
    if design.uses_typical_responses:
        found["typical_response"] = dict(calibration.responses)
    return json.dumps(found)


def _refuse_another(store: Store, name: str, probe: str) -> None:
    """Refuse a probe whose name the store has with other settings.

    Raises
    ------
    StoreError
        With each setting that differs.
    """
    if name not in probes_in(store):
        return
    try:
        before = json.loads(_written(probe_in(store, name)))
    except MachineError:  # its node is damaged, and is compared when it is mended
        return
    if found := differences({"probes": {name: before}}, {"probes": {name: json.loads(probe)}}):
        raise StoreError(
            f"{store.path}: probe {name!r} is there with other settings: {'; '.join(found)}. Give "
            f"the new one another name, or remove the old one first: "
            f"{command(store, '--remove', name)}."
        )


def command(store: Store, *words: str) -> str:
    """Write the command that works on the probes of a store, for messages."""
    return shlex.join(["virtuallab", "probe", str(store.path), *words])


def _origin(provenance: Mapping[str, str]) -> dict[str, str]:
    """Return attributes with the origin of a recording, for files with the recording alone.

    They are those of the experiment, so that they do not depend on when a probe was added.
    """
    version = json.loads(provenance.get("versions", "{}")).get("virtuallab", "")
    name = provenance.get("title", "")
    return {
        "title": name,
        "source": f"simulated by virtuallab {version}".rstrip(),
        "simulated": "true",
        "protocol": name,
        "protocol_sha256": provenance.get("protocol_sha256", ""),
        "seed": provenance.get("seed", ""),
        "virtuallab_version": version,
    }


def _with_times(seen: xr.Dataset, visits: xr.Dataset) -> xr.Dataset:
    """Add the time of each recorded visit in steps and, if they are known, epochs."""
    at = visits.sel({VISIT: seen[VISIT].values})
    return seen.assign_coords({str(name): at[name] for name in at.coords if name != VISIT})
