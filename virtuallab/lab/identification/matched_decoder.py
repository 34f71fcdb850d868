"""Decoders for a recording: trained on a probe's recordings, or on subjects recorded like it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import xarray as xr
from rich.console import Console

from virtuallab.console import say
from virtuallab.decoder.features.samples import Samples, by_subject
from virtuallab.errors import UserError, suggest
from virtuallab.lab.designs.design_evaluation import DesignRun, PreservedSubjects, measured
from virtuallab.lab.identification.decoder_training import (
    Decoder,
    DecoderSettings,
    DecoderTraining,
    digest,
)
from virtuallab.lab.services.progress import counting
from virtuallab.lab.services.workers import WorkerPool
from virtuallab.lab.stages.coverage import coverage
from virtuallab.lab.stages.decode import recorded_features
from virtuallab.lab.stages.experiment import Experiment
from virtuallab.lab.stages.nodes import living, probes_in, stage
from virtuallab.lab.stages.record import probe_in
from virtuallab.probes import Probe
from virtuallab.probes.schedule import visit_indices
from virtuallab.probes.statistics.features import change_names, features
from virtuallab.protocol.settings.plugin_spec import plain
from virtuallab.recordings import at_steps, matching_probe
from virtuallab.vocabulary import ACTIVITY, LAYER, RULE, SUBJECT


def sample_of(recording: xr.Dataset, first: int) -> Samples:
    """Sample of a recording made elsewhere, as a decoder reads it.

    Parameters
    ----------
    recording : xr.Dataset
        As :func:`virtuallab.recordings.read_recording` gives it.
    first : int
        The visit that its first corresponds to: at visit 0 there is nothing to be read yet.
    """
    found = features(recording).expand_dims({SUBJECT: ["recording"]})
    found = found.assign_coords(
        {
            "visit": found["visit"].values + first,
            RULE: (SUBJECT, np.array(["unknown"], dtype=object)),
            "depth_group": ((SUBJECT, LAYER), recording["depth_group"].values[None]),
        }
    )
    return by_subject(found, ACTIVITY)


def probe_decoder(
    experiment: Experiment, name: str, wanted: DecoderSettings, console: Console
) -> Decoder:
    """Return the decoder trained on what a probe has recorded.

    Raises
    ------
    UserError
        If there is no such probe, it measures no responses, or the subjects do not allow it.
    """
    probe = recorded_probe(experiment, name)
    members = sorted(experiment.store.committed_subjects(stage(name)))
    training = DecoderTraining(experiment, name, probe, (), tuple(members), wanted, probe_name=name)
    return training.decoder(lambda: probe_samples(experiment, name), name, console)


def recorded_probe(experiment: Experiment, name: str) -> Probe:
    """Return a probe that has recorded the activity of all subjects at two visits or more.

    Raises
    ------
    UserError
        If there is no such probe.
    """
    known = probes_in(experiment.store)
    if name not in known:
        raise UserError(f"{experiment.store.path}: no probe {name!r}. {suggest(name, known)}")
    found = coverage(experiment.store, name)
    if not found.is_complete:
        raise UserError(f"{found}: {found.how_to_finish(experiment.store)} first.")
    probe = probe_in(experiment.store, name)
    if ACTIVITY not in measured(probe):
        raise UserError(f"probe {name!r} measured no activity, which is all that is read.")
    visits = visit_indices(probe.resolved.visits, len(experiment.store.plan["visits"]))
    if len(visits) == 1:
        raise UserError(
            f"probe {name!r} recorded one visit: there are no changes from which to identify a "
            "rule."
        )
    return probe


def probe_samples(experiment: Experiment, name: str) -> Samples:
    """Samples of the activity that a probe has recorded, in the order of the subjects.

    Statistics that only this probe has are left out.
    """
    found = recorded_features(experiment.store, name)
    return by_subject(found.sel(change_name=list(change_names())), ACTIVITY)


def matched_decoder(
    experiment: Experiment,
    recording: xr.Dataset,
    wanted: DecoderSettings,
    console: Console,
    *,
    fractions: bool = False,
) -> Decoder:
    """Return the decoder trained on subjects recorded as a given recording was.

    What the recording does not have (classes of stimuli, early or deep layers) is left out in the
    training subjects as well. For ``fractions`` see :func:`virtuallab.recordings.matching_probe`.

    Raises
    ------
    UserError
        If the design cannot be had of the subjects, or they do not allow it.
    """
    steps = experiment.store.plan["visits"]
    probe = matched_probe(experiment, recording, fractions=fractions)
    visits = visit_indices(probe.visits, len(steps))
    say(console, placement(recording, steps, visits, fractions=fractions))
    read = sample_of(recording, int(visits[0])).values[0]
    absent = tuple(np.flatnonzero(~np.isfinite(read)).tolist())
    members = tuple(sorted(living(experiment.store)))
    training = DecoderTraining(experiment, "matched", probe, absent, members, wanted)
    name = f"matched-{digest(plain(probe), absent)[:8]}"
    look = partial(recorded_samples, experiment, probe, wanted.pool, console)
    return training.decoder(look, name, console)


def matched_probe(
    experiment: Experiment, recording: xr.Dataset, *, fractions: bool = False
) -> Probe:
    """Return the probe that records subjects as a given recording was made.

    Raises
    ------
    UserError
        If the design cannot be had of the subjects.
    """
    probe = matching_probe(recording, experiment.store.plan["visits"], fractions=fractions)
    for sizes in experiment.plan.sizes:
        for field, message in probe.check(*sizes):
            raise UserError(
                f"the recording cannot be matched in these subjects: {field}: {message}"
            )
    return probe


def placement(
    recording: xr.Dataset, steps: Sequence[int], visits: np.ndarray, *, fractions: bool = False
) -> str:
    """Return at which steps subjects are recorded, and why.

    Parameters
    ----------
    recording : xr.Dataset
    steps : sequence of int
        Training steps at which the subjects were preserved, ascending.
    visits : array of int
        Those at which they are recorded, as indices of ``steps``.
    fractions : bool
        See :func:`virtuallab.recordings.matching_probe`.
    """
    said = f"subjects are recorded at steps {steps[visits[0]]} to {steps[visits[-1]]}"
    said = f"{said} of {steps[-1]}"
    if "step" not in recording.coords:
        return f"{said}, evenly spread, because the recording has no 'step'"
    own = recording["step"].to_numpy()
    is_by_step = not fractions and at_steps(own, np.asarray(steps, dtype=np.float64)) is not None
    same = "the steps nearest to those" if is_by_step else "the same fractions of learning as those"
    return f"{said}, {same} of the recording, {own[0]:g} to {own[-1]:g}"


def recorded_samples(
    experiment: Experiment, probe: Probe, pool: WorkerPool, console: Console
) -> Samples:
    """Samples of the activity that a probe records of all preserved subjects."""
    bench = PreservedSubjects.of(experiment, pool)
    with counting(console, "subjects recorded", len(bench.members)) as advance:
        [seen] = bench.record([DesignRun(probe, 0, (ACTIVITY,))], advance)
    return seen.samples[ACTIVITY]
