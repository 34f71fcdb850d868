"""Decoding of designs, with a cache of the results."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from joblib import delayed

from virtuallab import seeds
from virtuallab.decoder import Analysis
from virtuallab.decoder.controls import OF_DESIGNS
from virtuallab.decoder.features.samples import Samples
from virtuallab.decoder.pairs import count_rules, permuted
from virtuallab.decoder.schemes.cross_validation import cross_validate
from virtuallab.errors import UserError
from virtuallab.lab.designs.design_evaluation import DesignRun, PreservedSubjects, RecordedDesign
from virtuallab.lab.designs.result_cache import ResultCache
from virtuallab.lab.services.progress import Count
from virtuallab.protocol.settings.plugin_spec import plain
from virtuallab.registry import CLASSIFIERS


@dataclass(frozen=True)
class DecodingSettings:
    """How a recording is decoded: a strict cross-validation by each classifier."""

    classifiers: tuple[str, ...]
    folds: int
    inner_folds: int


@dataclass(frozen=True)
class DecodedDesign:
    """Subjects that were identified from one implantation of a design.

    Parameters
    ----------
    right : mapping from (observable, classifier) to array of bool, (subject,)
        Whether each subject was identified.
    controls : mapping from (control, observable, classifier) to array of bool, (subject,)
        The same for each control; empty where no control is evaluated.
    """

    right: Mapping[tuple[str, str], np.ndarray]
    controls: Mapping[tuple[str, str, str], np.ndarray]


def evaluate_designs(
    bench: PreservedSubjects,
    result_cache: ResultCache,
    trials: Sequence[DesignRun],
    how: DecodingSettings,
    advance: Count,
) -> list[DecodedDesign]:
    """Return the results of all designs; those that are not in the cache are recorded and decoded.

    Parameters
    ----------
    bench : PreservedSubjects
    result_cache : ResultCache
        Keeps results; an interruption loses those under way.
    trials : sequence of DesignRun
    how : DecodingSettings
    advance : callable
        Called with the number of designs finished, each time.
    """
    found: dict[int, DecodedDesign] = {}
    missing: list[int] = []
    for number, trial in enumerate(trials):
        kept = result_cache.get(_named(trial, how))
        # Subjects may have been preserved since.
        if kept is None or any(len(right) != len(bench.members) for right in kept.values()):
            missing.append(number)
        else:
            found[number] = _read(kept)
    advance(len(found))
    seen = bench.record([trials[number] for number in missing], _noted(advance, len(bench.members)))
    for some in _chunks(zip(missing, seen, strict=True), 4 * bench.pool.workers):
        pieces = [(n, piece) for n, each in some for piece in _pieces(trials[n], each, bench, how)]
        with bench.pool.parallel() as parallel:
            decoded = parallel(delayed(_decode)(*piece) for _, piece in pieces)
        for number, group in itertools.groupby(
            zip(pieces, decoded, strict=True), key=lambda pair: pair[0][0]
        ):
            outcome = {piece[0]: right for (_, piece), right in group}
            result_cache.keep(_named(trials[number], how), outcome)
            found[number] = _read(outcome)
            advance(1)
    return [found[number] for number in range(len(trials))]


def _noted(count: Count, members: int) -> Callable[[int], None]:
    """Return what shows how many subjects are recorded by the designs under way."""
    recorded = 0

    def note(more: int) -> None:
        nonlocal recorded
        recorded = recorded % members + more  # the next designs begin with the first subject again
        count.note(f"{recorded} of {members} subjects recorded")

    return note


def check_counts(bench: PreservedSubjects, how: DecodingSettings, section: str) -> None:
    """Refuse folds into which the subjects that are left cannot be divided.

    A protocol is checked when it is read; how many subjects diverge is known only afterwards.

    Parameters
    ----------
    bench : PreservedSubjects
    how : DecodingSettings
    section : str
        Of the protocol, that says how many folds.

    Raises
    ------
    UserError
    """
    analysis = Analysis(folds=how.folds, inner_folds=how.inner_folds)
    count = count_rules(bench.labels.tolist(), bench.pairs)
    left = {subject.label: 0 for subject in bench.plan.subjects} | count
    few = [f"{n} of {rule!r}" for rule, n in left.items() if n < analysis.needed]
    if few:
        raise UserError(
            f"too few subjects are left, for others diverged: {', '.join(few)}, where {section} "
            f"needs {analysis.needed} of each rule. Lower {section}.folds or "
            f"{section}.inner_folds, or train more subjects."
        )


def _chunks(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    iterator = iter(items)
    while chunk := list(itertools.islice(iterator, size)):
        yield chunk


def _named(trial: DesignRun, how: DecodingSettings) -> dict[str, Any]:
    """Return all that determines a result, as plain data."""
    return {
        "probe": plain(trial.probe.resolved),
        "seed": trial.seed,
        "observables": list(trial.observables),
        "control": trial.control,
        "decoding": plain(how),
    }


_Piece = tuple[str, Samples, str, DecodingSettings, int, bool]


def _pieces(
    trial: DesignRun, seen: RecordedDesign, bench: PreservedSubjects, how: DecodingSettings
) -> Iterator[_Piece]:
    """Yield each decoding of a design: its name, and all that determines its result."""
    # Designs share their folds, so that they differ by the design alone.
    seed = seeds.integer(bench.plan.protocol.seed, "design", str(trial.seed))
    for classifier in how.classifiers:
        for name in trial.observables:
            samples = seen.samples[name]
            yield f"rule/{name}/{classifier}", samples, classifier, how, seed, True
            if trial.control:
                for control, of_it in seen.controls.items():
                    if name in of_it:
                        key = f"{control}/{name}/{classifier}"
                        yield key, of_it[name], classifier, how, seed, False
                order = permuted(samples.labels, samples.pairs, np.random.default_rng(seed))
                shuffled = replace(samples, labels=order)
                yield f"permuted_labels/{name}/{classifier}", shuffled, classifier, how, seed, False


def _decode(
    _: str, samples: Samples, classifier: str, how: DecodingSettings, seed: int, select: bool
) -> list[int]:
    classes = sorted(set(samples.labels.tolist()))
    outcome = cross_validate(
        CLASSIFIERS[classifier](),
        samples,
        classes,
        folds=how.folds,
        inner_folds=how.inner_folds,
        seed=seed,
        select=select,
    )
    right: list[int] = outcome.correct.astype(int).tolist()
    return right


def _read(outcome: Mapping[str, Sequence[int]]) -> DecodedDesign:
    right: dict[tuple[str, str], np.ndarray] = {}
    controls: dict[tuple[str, str, str], np.ndarray] = {}
    for key, values in outcome.items():
        kind, observable, classifier = key.split("/")
        if kind in OF_DESIGNS:
            controls[kind, observable, classifier] = np.array(values, dtype=bool)
        else:
            right[observable, classifier] = np.array(values, dtype=bool)
    return DecodedDesign(right, controls)
