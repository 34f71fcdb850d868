"""Decoders trained on an experiment's subjects, and kept beside it to be used again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from virtuallab import seeds
from virtuallab.console import say
from virtuallab.decoder import Analysis
from virtuallab.decoder.features.samples import Samples
from virtuallab.decoder.fitted_decoder import FittedDecoder
from virtuallab.decoder.schemes.cross_validation import cross_validate_calibrated
from virtuallab.decoder.schemes.held_out_kinds import cross_validate_kinds
from virtuallab.decoder.uncertainty.conformal import can_hold_out
from virtuallab.decoder.uncertainty.intervals import balanced_accuracy, interval
from virtuallab.decoder.uncertainty.no_learning import NullSamples
from virtuallab.errors import UserError, VirtuallabError
from virtuallab.lab.identification.accuracies import kind_accuracies, level_accuracies
from virtuallab.lab.identification.descriptions import kinds_of, of_design, of_subjects
from virtuallab.lab.identification.null_recordings import EACH, null_samples
from virtuallab.lab.identification.training_samples import TrainingSamples
from virtuallab.lab.planning.rule_levels import levels_of
from virtuallab.lab.planning.subject_table import columns_of
from virtuallab.lab.services.progress import counting
from virtuallab.lab.services.workers import WorkerPool
from virtuallab.lab.stages.experiment import Experiment
from virtuallab.probes import Probe
from virtuallab.probes.statistics.features import change_names
from virtuallab.protocol.settings.plugin_spec import plain
from virtuallab.registry import CLASSIFIERS, NULL_MODELS
from virtuallab.store.decoders.metadata import DecoderMetadata
from virtuallab.store.decoders.persistence import load_decoder, save_decoder
from virtuallab.text import diverged
from virtuallab.vocabulary import ACTIVITY, PAIR

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
    referenced : bool
        Read features relative to the centre of their kind; a recording then needs references.
    """

    others: tuple[str, ...]
    classifier: str | None
    pool: WorkerPool
    nulls: tuple[str, ...] | None = None
    referenced: bool = False

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
    probe_name : str
        Of the probe whose recordings these are; empty if subjects are recorded as a recording was
        made.
    """

    experiment: Experiment
    stream: str
    probe: Probe
    absent: tuple[int, ...]
    members: tuple[int, ...]
    wanted: DecoderSettings
    probe_name: str = ""

    def decoder(self, look: Callable[[], Samples], name: str, console: Console) -> Decoder:
        """Return the kept decoder if it has the same digest; otherwise train and keep one."""
        analysis = self._analysis()
        if self.wanted.referenced:
            self._refuse_one_kind(analysis)
            name = f"{name}-referenced"
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
        # One fold after the other, further draws of the folds, held-out kinds, the decoder itself.
        n_steps = analysis.folds + analysis.repeats + 1
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
        columns = columns_of(self.experiment.plan.subjects)
        pairs = columns.get(PAIR)
        own = {name: values[list(self.members)].tolist() for name, values in columns.items()}
        problems = analysis.check(self._labels.tolist(), (), (), columns=own, pairs=own.get(PAIR))
        if problems and len(self.members) < len(self.experiment.plan.subjects):
            self._refuse_diverged(analysis, problems[0][0], pairs, own.get(PAIR))
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

    def _refuse_one_kind(self, analysis: Analysis) -> None:
        """Refuse subjects of one kind, from which it is not known how kinds differ.

        Raises
        ------
        UserError
        """
        named = ~np.isin(self._labels, analysis.others)
        kinds = np.unique(kinds_of(self.experiment, self.members)[named])
        if len(kinds) < 2:
            raise UserError(
                f"--reference: the training subjects of {self.experiment.store.path} are of one "
                f"kind ({kinds[0]}), from which it is not known how kinds differ. Train on two "
                "architectures or tasks, or more, or leave --reference out."
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
            self.wanted.referenced,
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
        kinds = kinds_of(self.experiment, self.members)
        absolute = TrainingSamples.of(
            samples, nulls, kinds, others=analysis.others, absent=self.absent
        )
        found = absolute.centred() if self.wanted.referenced else absolute
        own, classes = found.own, found.rules
        classifier = CLASSIFIERS[analysis.classifiers[0]]()
        seed = seeds.integer(self.experiment.plan.protocol.seed, "identify", self.stream)
        inner = analysis.inner_folds
        result, prediction = cross_validate_calibrated(
            classifier,
            own,
            classes,
            folds=analysis.folds,
            inner_folds=inner,
            seed=seed,
            repeats=analysis.repeats,
            outliers=found.outliers,
            step=step,
        )
        on_kinds = cross_validate_kinds(
            classifier, absolute.own, found.kinds, classes, inner_folds=inner, seed=seed
        )
        step()
        trained = FittedDecoder.train(
            classifier,
            own,
            classes,
            inner_folds=inner,
            seed=seed,
            outliers=found.outliers,
            nulls=found.nulls,
            kinds=found.kinds,
            centres=found.centres,
        )
        step()
        confidence, levels = analysis.confidence, levels_of(self.experiment.plan)
        bounds = interval(
            result.confusion, confidence, repeats=analysis.repeats, effect=result.pair_effect
        )
        kind_names = tuple(map(str, np.unique(found.kinds)))
        is_named = ~np.isin(samples.labels, analysis.others)
        subjects = np.array(self.members)[is_named].tolist()
        facts = DecoderMetadata(
            **of_subjects(self.experiment, subjects),
            **of_design(self.experiment, self.probe),
            probe_name=self.probe_name,
            observable=ACTIVITY,
            classifier=analysis.classifiers[0],
            others=analysis.others,
            stages=samples.visits,
            absent=absolute.absent,
            change_names=change_names(),
            accuracy=balanced_accuracy(result.confusion),
            interval=bounds,
            confidence=confidence,
            coverage=trained.coverage(analysis.coverage),
            nominal_coverage=analysis.coverage,
            kinds=len(kind_names) if can_hold_out(found.kinds, own.labels) else 1,
            kind_names=kind_names,
            held_out_kinds=tuple(kind_accuracies(on_kinds, confidence)),
            fewest=int(np.unique(own.labels, return_counts=True)[1].min()),
            levels=tuple(
                level_accuracies(levels, result.confusion, prediction, own, classes, analysis)
            ),
            excluded={} if trained.no_learning is None else trained.no_learning.excluded,
            still=tuple(absolute.still.tolist()),
            made_for=made_for,
        )
        return trained, facts


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
