"""Rough durations of recording and decoding, and the precision of an accuracy.

Recording and decoding are not measured: their imports take longer than the rest of a plan.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from virtuallab.decoder import Analysis
from virtuallab.decoder.features.samples import GROUPS, PUBLISHED, STAGES, Samples
from virtuallab.decoder.uncertainty.intervals import posterior
from virtuallab.lab.planning.network_group import NetworkGroup
from virtuallab.lab.services.workers import torch_threads
from virtuallab.probes import Probe
from virtuallab.probes.statistics.features import change_names
from virtuallab.registry import CLASSIFIERS
from virtuallab.subject.preparation import prepare
from virtuallab.subject.subject import Subject
from virtuallab.vocabulary import ACTIVITY_CHANGE

_BUDGET = 1.0  # seconds for preparations
# Of one probe in one subject: a fixed part, seconds a number, preparations that gradients take.
# Within a factor of two in the protocols that are shipped.
_PROBE, _NUMBER, _GRADIENTS = 0.02, 1e-7, 3.0
CONTROLS = 3  # at chance, beside each question; the others are few fits
_BESIDE = 2  # passes over the folds that relevance and coefficients take
_AVERAGED = 3  # the recording, and what it must beat, by several draws of the folds
_ACCURACY = 0.7


def recording_seconds(
    network_groups: Sequence[NetworkGroup], probes: Mapping[str, Probe], visits: int
) -> float:
    """Estimate how long one worker would record all subjects, from how long one is prepared."""
    total, spent, measured = 0.0, 0.0, 0
    for group in network_groups:
        if measured and spent > _BUDGET:
            continue
        preparing = _preparation_seconds(group, visits)
        one = preparing
        for probe in probes.values():
            numbers = probe.resolved.n_values(*group.layer_sizes, visits, group.n_stimuli)
            gradients = _GRADIENTS * (ACTIVITY_CHANGE in probe.resolved.observables)
            # Where there is noise it is recorded once more by itself.
            times = 2 if probe.resolved.is_noisy else 1
            one += times * (_PROBE + _NUMBER * numbers) + gradients * preparing
        spent += preparing
        measured += len(group.members)
        total += one * len(group.members)
    subjects = sum(len(group.members) for group in network_groups)
    return total * subjects / measured if measured else 0.0


def _preparation_seconds(group: NetworkGroup, visits: int) -> float:
    """Return how long the preparation of an untrained subject at all visits takes."""
    one = _timed(group, 1)
    return one * visits if one * visits > _BUDGET else _timed(group, visits)


def _timed(group: NetworkGroup, visits: int) -> float:
    states = np.zeros((visits, group.layout().size), dtype=np.float32)
    with torch_threads(1):
        prepare(group.architecture, group.task, states, None)  # makes its network first
        began = time.perf_counter()
        prepare(group.architecture, group.task, states, None)
        return time.perf_counter() - began


def decoding_seconds(
    analyses: Mapping[str, Analysis],
    subjects: Sequence[Subject],
    probes: Sequence[str],
    visits: int,
) -> float:
    """Estimate how long one worker would take for all analyses, from what each fit costs."""
    rules = [subject.label for subject in subjects]
    total = 0.0
    for analysis in analyses.values():
        named = [rule for rule in rules if rule not in analysis.others]
        asked = [name for name in probes if name in (analysis.probes or probes)]
        if not asked or len(set(named)) < 2:
            continue
        strict = analysis.scheme == "strict"
        moments = min(max(visits - 1, 1), STAGES) if strict else visits
        width = len(change_names()) * (2 * GROUPS - 1) if strict else len(PUBLISHED)
        samples = _like(named, width, moments)
        for name in analysis.classifiers:
            classifier = CLASSIFIERS[name]()
            grid = classifier.grid("strict" if strict else analysis.grid, samples)
            fixed, number = classifier.cost
            one = fixed + number * samples.values.size
            fits = _fits(analysis, len(grid), len(set(named)))
            total += one * fits * len(asked) * len(analysis.observables)
    return total


def _fits(analysis: Analysis, grid: int, rules: int) -> int:
    """Count the fits of one classifier to one observable of one probe."""
    if analysis.scheme != "strict":
        return analysis.splits * (grid * 5 + 1) * 2
    one = grid * analysis.inner_folds + analysis.inner_folds + 1
    passes = 1 + analysis.permutations + CONTROLS + _BESIDE
    again = (analysis.repeats - 1) * _AVERAGED * (grid * analysis.inner_folds * (grid > 1) + 1)
    return analysis.folds * (passes * one + again + (rules if rules > 2 else 0))


def _like(rules: Sequence[str], width: int, visits: int) -> Samples:
    """Samples of the form that some subjects have; their values take no memory."""
    values = np.broadcast_to(np.zeros(1), (len(rules), width * visits))
    return Samples(values, np.array(rules, dtype=object), np.arange(len(rules)), visits)


def precision(subjects: Sequence[Subject]) -> str:
    """Return the precision of an accuracy with so many subjects; empty for a single rule."""
    counts = Counter(subject.label for subject in subjects)
    if len(counts) < 2:
        return ""
    numbers = np.array(sorted(counts.values()))
    shares = np.full(len(numbers), _ACCURACY)
    among = posterior(shares, numbers.astype(np.float64), repeats=Analysis().repeats)
    # Of draws, for quantiles would import scipy, which takes longer than a plan.
    low, high = np.quantile(np.random.default_rng(0).beta(*among, 100_000), [0.025, 0.975])
    span = f"{numbers[0]}" if numbers[0] == numbers[-1] else f"{numbers[0]} to {numbers[-1]}"
    who = f"{span} subject{'' if span == '1' else 's'} of each of {len(counts)} rules"
    known = f"is known to ± {(high - low) / 2:.2f} (95 % interval)"
    paired = any(subject.paired for subject in subjects)
    unless = ", less precisely if pairs are identified alike" if paired else ""
    return f"{who}: an accuracy of {_ACCURACY:.2f} {known}{unless}"
