"""Decoders trained on an experiment's subjects, kept beside it and used again where they fit."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from rich.console import Console

from virtuallab import seeds
from virtuallab.console import say
from virtuallab.decoder import Analysis
from virtuallab.decoder.features.samples import Samples, by_subject
from virtuallab.decoder.fitted_decoder import FittedDecoder
from virtuallab.decoder.schemes.cross_validation import cross_validate_calibrated
from virtuallab.decoder.uncertainty.intervals import balanced_accuracy, interval
from virtuallab.errors import UserError, VirtuallabError, suggest
from virtuallab.lab.designs.design_evaluation import Bench, Trial, measured
from virtuallab.lab.services.progress import counting
from virtuallab.lab.stages.coverage import coverage
from virtuallab.lab.stages.decode import recorded_features
from virtuallab.lab.stages.experiment import Experiment
from virtuallab.lab.stages.nodes import living, probes_in, stage
from virtuallab.lab.stages.record import probe_in
from virtuallab.probes import Probe
from virtuallab.probes.schedule import visit_indices
from virtuallab.probes.statistics.features import change_names, features
from virtuallab.protocol.settings.plugin_spec import plain
from virtuallab.recordings import matching_probe
from virtuallab.registry import CLASSIFIERS
from virtuallab.store.decoders.metadata import DecoderMetadata
from virtuallab.store.decoders.persistence import load_decoder, save_decoder
from virtuallab.vocabulary import ACTIVITY, LAYER, RULE, SUBJECT

Decoder = tuple[FittedDecoder, DecoderMetadata]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is asked of a decoder, whatever it is trained on.

    Parameters
    ----------
    others : tuple of str
        Rules, by label, that are not to be named; if empty, those of the experiment's analyses.
    classifier : str or None
        By name; if not given, the analyses' default.
    workers : int or None
    """

    others: tuple[str, ...]
    classifier: str | None
    workers: int | None


def sample_of(recording: xr.Dataset, first: int) -> Samples:
    """What a decoder reads of a recording made elsewhere.

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


def of_probe(experiment: Experiment, name: str, wanted: Wanted, console: Console) -> Decoder:
    """Return the decoder trained on what a probe has recorded.

    Raises
    ------
    UserError
        If there is no such probe, it measures no responses, or the subjects do not allow it.
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
    members = sorted(experiment.store.committed(stage(name)))
    lesson = _Lesson(experiment, name, probe, (), tuple(members), wanted)
    return lesson.learned(
        lambda: by_subject(recorded_features(experiment.store, name), ACTIVITY), name, console
    )


def matched(
    experiment: Experiment,
    recording: xr.Dataset,
    wanted: Wanted,
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
    probe = matching_probe(recording, steps, fractions=fractions)
    for sizes in experiment.plan.sizes:
        for field, message in probe.check(*sizes):
            raise UserError(
                f"the recording cannot be matched in these subjects: {field}: {message}"
            )
    visits = visit_indices(probe.visits, len(steps))
    say(console, _placed(recording, [steps[visit] for visit in visits], steps[-1]))
    read = sample_of(recording, int(visits[0])).values[0]
    absent = tuple(np.flatnonzero(~np.isfinite(read)).tolist())
    members = tuple(sorted(living(experiment.store)))
    lesson = _Lesson(experiment, "matched", probe, absent, members, wanted)
    name = f"matched-{_digest(plain(asdict(probe)), absent)[:8]}"
    look = partial(_implanted, experiment, probe, wanted.workers, console)
    return lesson.learned(look, name, console)


def _placed(recording: xr.Dataset, steps: Sequence[int], end: int) -> str:
    """Say when subjects are recorded, beside when the recording was made."""
    said = f"subjects are recorded at steps {steps[0]} to {steps[-1]} of {end}"
    if "step" not in recording.coords:
        return said
    own = recording["step"].to_numpy()
    return f"{said}, as the recording at {own[0]:g} to {own[-1]:g}"


def _implanted(
    experiment: Experiment, probe: Probe, workers: int | None, console: Console
) -> Samples:
    bench = Bench.of(experiment, workers)
    with counting(console, "subjects recorded", len(bench.members)) as advance:
        [seen] = bench.look([Trial(probe, 0, (ACTIVITY,))], advance)
    return seen.samples[ACTIVITY]


@dataclass(frozen=True)
class _Lesson:
    """All that decides what a decoder learns.

    Parameters
    ----------
    experiment : Experiment
    stream : str
        Whose random stream the folds are drawn from.
    probe : Probe
    absent : tuple of int
        Columns that are left out.
    members : tuple of int
        Indices of the subjects that were recorded, in the order of the rows.
    wanted : Wanted
    """

    experiment: Experiment
    stream: str
    probe: Probe
    absent: tuple[int, ...]
    members: tuple[int, ...]
    wanted: Wanted

    def learned(self, look: Callable[[], Samples], name: str, console: Console) -> Decoder:
        """Take the decoder that is kept, if it fits; else train it and keep it."""
        analysis = self._analysis()
        made_for = self._fingerprint(analysis)
        path = self.experiment.store.path
        folder = path.with_name(f"{path.stem}.decoders") / f"{name}.decoder"
        kept = _kept(folder, made_for)
        if kept is not None:
            say(console, f"Decoder: {folder}")
            return kept
        samples = look()
        say(console, f"training a decoder on {len(self.members)} subjects")
        # One fold after the other, further draws of the folds, and at last the decoder itself.
        n_steps = analysis.folds + analysis.repeats
        with counting(console, "decoder trained, steps", n_steps) as advance:
            found = self._trained(samples, analysis, made_for, lambda: advance(1))
        try:
            save_decoder(*found, folder)
        except VirtuallabError as error:  # the answer does not need it kept
            say(console, f"The decoder could not be kept for the next recording: {error}")
        else:
            say(console, f"Decoder: {folder}, kept for the next recording like this")
        return found

    def _analysis(self) -> Analysis:
        """How it is trained and tested: as the experiment's first strict analysis."""
        kept = [a for a in self.experiment.plan.protocol.analyses.values() if a.scheme == "strict"]
        others = self.wanted.others or tuple(
            dict.fromkeys(label for analysis in kept for label in analysis.others)
        )
        classifier = self.wanted.classifier or Analysis().classifiers[0]
        analysis = replace(
            kept[0] if kept else Analysis(),
            probes=None,
            observables=(ACTIVITY,),
            classifiers=(classifier,),
            others=others,
            hold_out=(),
        )
        for field, message in analysis.check(self._labels.tolist(), (), ()):
            option = {"others": "--others: ", "classifiers": "--classifier: "}.get(field, "")
            raise UserError(f"{option}{message}")
        return analysis

    @property
    def _labels(self) -> np.ndarray:
        return np.array([self.experiment.plan.subjects[index].label for index in self.members])

    def _fingerprint(self, analysis: Analysis) -> str:
        kept = self.experiment.plan.protocol.resolved()
        return _digest(
            version("virtuallab"),
            {"seed": kept["seed"], "subjects": kept["subjects"]},
            self.experiment.store.plan["visits"],
            plain(asdict(self.probe)),
            self.absent,
            self.members,
            plain(asdict(analysis)),
            change_names(),
        )[:16]

    def _trained(
        self, samples: Samples, analysis: Analysis, made_for: str, step: Callable[[], None]
    ) -> Decoder:
        values = samples.values.copy()
        values[:, list(self.absent)] = np.nan
        named = ~np.isin(samples.labels, analysis.others)
        own = replace(
            samples,
            values=values[named],
            labels=samples.labels[named],
            owners=np.arange(int(named.sum())),
        )
        classes = sorted(set(own.labels.tolist()))
        classifier = CLASSIFIERS[analysis.classifiers[0]]()
        seed = seeds.integer(self.experiment.plan.protocol.seed, "identify", self.stream)
        outliers = None if named.all() else values[~named]
        inner = analysis.inner_folds
        result, prediction = cross_validate_calibrated(
            classifier,
            own,
            classes,
            folds=analysis.folds,
            inner_folds=inner,
            seed=seed,
            repeats=analysis.repeats,
            outliers=outliers,
            step=step,
        )
        truth = np.searchsorted(classes, own.labels)
        sets = prediction.sets(analysis.coverage).to_numpy()
        held = sets[np.arange(len(truth)), truth]
        trained = FittedDecoder.train(
            classifier, own, classes, inner_folds=inner, seed=seed, outliers=outliers
        )
        step()
        subjects = [i for i, is_named in zip(self.members, named, strict=True) if is_named]
        facts = DecoderMetadata(
            **_of_subjects(self.experiment, subjects),
            **_of_design(self.experiment, self.probe),
            observable=ACTIVITY,
            classifier=analysis.classifiers[0],
            others=analysis.others,
            stages=samples.visits,
            absent=self.absent,
            change_names=change_names(),
            accuracy=balanced_accuracy(result.confusion),
            interval=interval(result.confusion, analysis.confidence, repeats=analysis.repeats),
            confidence=analysis.confidence,
            coverage=float(held.mean()),
            nominal_coverage=analysis.coverage,
            made_for=made_for,
        )
        return trained, facts


def _kept(folder: Path, made_for: str) -> Decoder | None:
    """Return a decoder kept earlier, if it can be used again; one of ours may be made anew."""
    try:
        if not folder.exists():
            return None
        trained, facts = load_decoder(folder)
    except (VirtuallabError, OSError):
        return None
    return (trained, facts) if facts.made_for == made_for else None


def _of_subjects(experiment: Experiment, members: Sequence[int]) -> Mapping[str, Any]:
    table = experiment.store.subjects.isel({SUBJECT: list(members)})
    return {
        "title": experiment.plan.protocol.name,
        "question": experiment.plan.protocol.question,
        "architectures": _words(table["architecture"]),
        "tasks": _words(table["task"]),
        "learning_rates": _range(table["learning_rate"].values),
        "n_subjects": len(members),
    }


def _of_design(experiment: Experiment, probe: Probe) -> Mapping[str, Any]:
    design = probe.resolved
    amounts = [probe.resolved.amounts(*sizes) for sizes in experiment.plan.sizes]
    layers = [len(design.in_recorded_layers(sizes[0])) for sizes in experiment.plan.sizes]
    visits = visit_indices(design.visits, len(experiment.store.plan["visits"]))
    return {
        "probe": json.loads(json.dumps(plain(asdict(probe)))),
        "visits": tuple(map(int, visits)),
        "last_step": int(experiment.store.plan["visits"][visits[-1]]),
        "units": _range([each["units"] for each in amounts]),
        "stimuli": _range([each["stimuli"] for each in amounts]),
        "layers": _range(layers),
        "snr": design.noise.ratio,
    }


def _words(labels: xr.DataArray) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(label) for label in labels.values))


def _range(values: Sequence[int] | np.ndarray) -> tuple[Any, Any]:
    array = np.asarray(values)
    return array.min().item(), array.max().item()


def _digest(*decisive: Any) -> str:
    text = json.dumps(plain(decisive), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
