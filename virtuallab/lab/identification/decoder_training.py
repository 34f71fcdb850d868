"""Decoders trained on an experiment's subjects, and kept beside it to be used again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np
import xarray as xr
from rich.console import Console

from virtuallab import seeds
from virtuallab.console import say
from virtuallab.decoder import Analysis
from virtuallab.decoder.features.samples import Samples
from virtuallab.decoder.fitted_decoder import FittedDecoder
from virtuallab.decoder.levels import coarse_confusion, informative_levels
from virtuallab.decoder.pairs import pair_effect
from virtuallab.decoder.prediction import Prediction
from virtuallab.decoder.schemes.cross_validation import cross_validate_calibrated
from virtuallab.decoder.uncertainty.conformal import can_hold_out
from virtuallab.decoder.uncertainty.intervals import balanced_accuracy, interval
from virtuallab.decoder.uncertainty.no_learning import NullSamples
from virtuallab.errors import UserError, VirtuallabError
from virtuallab.lab.identification.descriptions import of_design, of_subjects
from virtuallab.lab.identification.null_recordings import EACH, null_samples, total_change
from virtuallab.lab.planning.rule_levels import levels_of
from virtuallab.lab.planning.subject_table import columns_of
from virtuallab.lab.services.progress import counting
from virtuallab.lab.services.workers import WorkerPool
from virtuallab.lab.stages.experiment import Experiment
from virtuallab.probes import Probe
from virtuallab.probes.statistics.features import change_names
from virtuallab.protocol.settings.plugin_spec import plain
from virtuallab.registry import CLASSIFIERS, NULL_MODELS
from virtuallab.store.decoders.metadata import DecoderMetadata, LevelAccuracy, Range
from virtuallab.store.decoders.persistence import load_decoder, save_decoder
from virtuallab.text import diverged
from virtuallab.vocabulary import ACTIVITY, PAIR

FROZEN: Final = "frozen"  # the null model in which nothing but noise changes

Decoder = tuple[FittedDecoder, DecoderMetadata]


@dataclass(frozen=True, kw_only=True)
class DecoderSettings:
    """Settings of a decoder that do not depend on what it is trained on.

    Parameters
    ----------
    others : tuple of str
        Labels of rules that are not predicted; if empty, those of the experiment's analyses.
    classifier : str or None
        Its name; if None, the default of analyses.
    pool : WorkerPool
        Records subjects and their null models.
    nulls : tuple of str or None
        Null models in whose recordings nothing was learned; all that are registered if None. If
        empty, no learning is not among the answers.
    """

    others: tuple[str, ...]
    classifier: str | None
    pool: WorkerPool
    nulls: tuple[str, ...] | None = None

    @property
    def null_models(self) -> tuple[str, ...]:
        """Names of the null models."""
        return tuple(NULL_MODELS) if self.nulls is None else self.nulls


@dataclass(frozen=True)
class DecoderTraining:
    """All that determines a decoder trained on an experiment's subjects.

    Parameters
    ----------
    experiment : Experiment
    stream : str
        Owner of the random stream of the folds.
    probe : Probe
    absent : tuple of int
        Columns that are left out.
    members : tuple of int
        Indices of the subjects that were recorded, in the order of the rows.
    wanted : DecoderSettings
    """

    experiment: Experiment
    stream: str
    probe: Probe
    absent: tuple[int, ...]
    members: tuple[int, ...]
    wanted: DecoderSettings

    def decoder(self, look: Callable[[], Samples], name: str, console: Console) -> Decoder:
        """Return the kept decoder if it has the same digest; otherwise train and keep one."""
        analysis = self._analysis()
        made_for = self._fingerprint(analysis)
        path = self.experiment.store.path
        folder = path.with_name(f"{path.stem}.decoders") / f"{name}.decoder"
        kept = _kept(folder, made_for)
        if kept is not None:
            say(console, f"Decoder: {folder}")
            return kept
        samples = look()
        nulls = self._null_samples(console)
        say(console, f"training a decoder on {len(self.members)} subjects")
        # One fold after the other, further draws of the folds, and at last the decoder itself.
        n_steps = analysis.folds + analysis.repeats
        with counting(console, "decoder trained, steps", n_steps) as advance:
            found = self._trained(samples, nulls, analysis, made_for, lambda: advance(1))
        try:
            save_decoder(*found, folder)
        except VirtuallabError as error:  # the answer does not need it kept
            say(console, f"The decoder could not be kept for the next recording: {error}")
        else:
            say(console, f"Decoder: {folder}, kept for the next recording like this")
        return found

    def _analysis(self) -> Analysis:
        """Return the analysis by which it is trained and tested: the first strict one."""
        kept = [a for a in self.experiment.plan.protocol.analyses.values() if a.scheme == "strict"]
        others = self.wanted.others or tuple(
            dict.fromkeys(label for analysis in kept for label in analysis.others)
        )
        classifier = self.wanted.classifier or Analysis().classifiers[0]
        analysis = replace(
            (kept[0] if kept else Analysis()).without_held_out,
            probes=None,
            observables=(ACTIVITY,),
            classifiers=(classifier,),
            others=others,
        )
        pairs = columns_of(self.experiment.plan.subjects).get(PAIR)
        kept_pairs = None if pairs is None else pairs[list(self.members)].tolist()
        problems = analysis.check(self._labels.tolist(), (), (), pairs=kept_pairs)
        if problems and len(self.members) < len(self.experiment.plan.subjects):
            self._refuse_diverged(analysis, problems[0][0], pairs, kept_pairs)
        for field, message in problems:
            option = {"others": "--others: ", "classifiers": "--classifier: "}.get(field, "")
            where = (
                f" Folds are those of the first strict analysis of {self.experiment.store.path}."
            )
            raise UserError(f"{option}{message}{where if kept and 'folds' in field else ''}")
        return analysis

    def _refuse_diverged(
        self,
        analysis: Analysis,
        field: str,
        pairs: np.ndarray | None,
        kept_pairs: list[Any] | None,
    ) -> None:
        """Refuse subjects that are too few because others diverged.

        Raises
        ------
        UserError
            If the field of the analysis that is at fault would not be with all planned subjects.
        """
        planned = [subject.label for subject in self.experiment.plan.subjects]
        every = analysis.check(planned, (), (), pairs=None if pairs is None else pairs.tolist())
        if field in dict(every):
            return
        named = [label for label in self._labels.tolist() if label not in analysis.others]
        few = analysis.too_few(named, set(planned) - set(analysis.others), kept_pairs)
        left = ", ".join(f"{n} of {rule!r}" for rule, n in few.items())
        lost = len(planned) - len(self.members)
        raise UserError(
            f"too few subjects remain to train a decoder: {left}, where {analysis.needed} of each "
            f"rule are needed. {diverged(lost, len(planned))}."
        )

    @property
    def _labels(self) -> np.ndarray:
        return np.array([self.experiment.plan.subjects[index].label for index in self.members])

    def _fingerprint(self, analysis: Analysis) -> str:
        kept = self.experiment.plan.protocol.resolved()
        return digest(
            version("virtuallab"),
            {"seed": kept["seed"], "subjects": kept["subjects"]},
            self.experiment.store.plan["visits"],
            plain(self.probe),
            self.absent,
            self.members,
            plain(asdict(analysis)),
            self.wanted.null_models,
            change_names(),
        )[:16]

    def _null_samples(self, console: Console) -> NullSamples | None:
        """Record null models of the subjects, if any are wanted."""
        kinds = self.wanted.null_models
        if not kinds:
            return None
        with counting(console, "null recordings made", EACH * len(kinds)) as advance:
            found = null_samples(
                self.experiment,
                self.probe,
                self.members,
                kinds,
                pool=self.wanted.pool,
                advance=advance,
            )
        if found is not None:
            found.values[:, list(self.absent)] = np.nan
        return found

    def _trained(
        self,
        samples: Samples,
        nulls: NullSamples | None,
        analysis: Analysis,
        made_for: str,
        step: Callable[[], None],
    ) -> Decoder:
        values = samples.values.copy()
        values[:, list(self.absent)] = np.nan
        named = ~np.isin(samples.labels, analysis.others)
        # Recordings of one pair, or of one subject and its null models, are held out together.
        owners = np.arange(len(samples.labels)) if samples.pairs is None else samples.pairs
        every = replace(samples, values=values, owners=owners)
        if nulls is not None:
            nulls = replace(nulls, owners=owners[nulls.owners])
        own = every.take(np.flatnonzero(named))
        classes = sorted(set(own.labels.tolist()))
        classifier = CLASSIFIERS[analysis.classifiers[0]]()
        seed = seeds.integer(self.experiment.plan.protocol.seed, "identify", self.stream)
        outliers = None if named.all() else every.take(np.flatnonzero(~named))
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
        subjects = [i for i, is_named in zip(self.members, named, strict=True) if is_named]
        kinds = self._kinds(subjects)
        trained = FittedDecoder.train(
            classifier,
            own,
            classes,
            inner_folds=inner,
            seed=seed,
            outliers=outliers,
            nulls=nulls,
            kinds=kinds,
        )
        step()
        still = np.empty(0)
        if nulls is not None:
            frozen = nulls.values[nulls.kinds == FROZEN]
            still = total_change(frozen, samples.visits)
        measured = partial(interval, confidence=analysis.confidence, repeats=analysis.repeats)
        facts = DecoderMetadata(
            **of_subjects(self.experiment, subjects),
            **of_design(self.experiment, self.probe),
            observable=ACTIVITY,
            classifier=analysis.classifiers[0],
            others=analysis.others,
            stages=samples.visits,
            absent=tuple(np.flatnonzero(~np.isfinite(values).any(0)).tolist()),
            change_names=change_names(),
            accuracy=balanced_accuracy(result.confusion),
            interval=measured(result.confusion, effect=result.pair_effect),
            confidence=analysis.confidence,
            coverage=trained.coverage(analysis.coverage),
            nominal_coverage=analysis.coverage,
            kinds=len(np.unique(kinds)) if can_hold_out(kinds, own.labels) else 1,
            fewest=int(np.unique(own.labels, return_counts=True)[1].min()),
            levels=tuple(self._levels(result.confusion, prediction, own, classes, measured)),
            excluded={} if trained.no_learning is None else trained.no_learning.excluded,
            still=tuple(np.sort(still[np.isfinite(still)]).tolist()),
            made_for=made_for,
        )
        return trained, facts

    def _levels(
        self,
        confusion: np.ndarray,
        prediction: Prediction,
        own: Samples,
        rules: list[str],
        measured: Callable[..., Range],
    ) -> Iterator[LevelAccuracy]:
        """Yield the levels of these rules, with the interval of the accuracy at each."""
        coords = {"true_rule": rules, "predicted_rule": rules}
        counts = xr.DataArray(confusion, coords, ("true_rule", "predicted_rule"))
        predicted = prediction.rule.to_numpy().tolist()
        for level in informative_levels(levels_of(self.experiment.plan), rules):
            correct = [
                level.group_of(one) == level.group_of(other)
                for one, other in zip(predicted, own.labels.tolist(), strict=True)
            ]
            # Pairs may be more alike at a level than they are for rules.
            effect = pair_effect(np.array(correct, dtype=float), own.labels, own.pairs)
            coarse = coarse_confusion(counts, level).to_numpy()
            yield LevelAccuracy(level, measured(coarse, effect=effect))

    def _kinds(self, subjects: Sequence[int]) -> np.ndarray:
        """Architecture and task of each subject, by name: drawn settings make no kind of their own.

        A recording made elsewhere is of another kind.
        """
        every = (self.experiment.plan.subjects[index] for index in subjects)
        return np.array([f"{each.architecture.name} {each.task.full_name}" for each in every])


def _kept(folder: Path, made_for: str) -> Decoder | None:
    """Return a decoder kept earlier; None if it is damaged or has another digest."""
    try:
        if not folder.exists():
            return None
        trained, facts = load_decoder(folder)
    except (VirtuallabError, OSError):
        return None
    return (trained, facts) if facts.made_for == made_for else None


def digest(*decisive: Any) -> str:
    """Return a digest of plain data, 64 hexadecimal digits."""
    text = json.dumps(plain(decisive), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
