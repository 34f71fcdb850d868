"""How long recording and decoding would take, from small pieces of both; how sure a verdict is."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from virtuallab.decoder import Analysis
from virtuallab.decoder.controls import CONTROLS
from virtuallab.decoder.crossval import fit
from virtuallab.decoder.intervals import interval
from virtuallab.decoder.samples import GROUPS, PUBLISHED, STAGES, Samples
from virtuallab.lab.anatomy import Anatomy
from virtuallab.lab.workers import torch_threads
from virtuallab.probe import Probe, features
from virtuallab.registry import CLASSIFIERS
from virtuallab.subject.preparation import prepare
from virtuallab.subject.subject import Subject

_BUDGET = 1.0  # seconds for the pieces of either
_MOST_ROWS = 60  # subjects of the piece that is decoded
_GROWTH = 1.5  # power of the number of subjects with which fits slow down
_BESIDE = 2  # passes over the folds that relevance and coefficients take
_ACCURACY = 0.7


def recording_seconds(
    anatomies: Sequence[Anatomy], probes: Mapping[str, Probe], visits: int
) -> tuple[float, dict[str, int]]:
    """Estimate how long one worker would record all subjects.

    Returns
    -------
    tuple
        Seconds, and how many numbers the decoder reads of one subject and visit, by probe.
    """
    columns: dict[str, int] = {}
    total, spent, measured = 0.0, 0.0, 0
    for anatomy in anatomies:
        if measured and spent > _BUDGET:
            continue
        began = time.perf_counter()
        states = np.zeros((1, anatomy.layout().size), dtype=np.float32)
        with torch_threads(1):
            prepare(anatomy.architecture, anatomy.task, states, None)  # makes its network first
            began = time.perf_counter()
            prepare(anatomy.architecture, anatomy.task, states, None)
            one = visits * (time.perf_counter() - began)
            if one < _BUDGET:
                states = np.zeros((visits, states.shape[1]), dtype=np.float32)
                prepare(anatomy.architecture, anatomy.task, states, None)
                began = time.perf_counter()
                tissue = prepare(anatomy.architecture, anatomy.task, states, None)
                for name, probe in probes.items():
                    stream = np.random.default_rng(0)
                    seen = features(probe.implant(tissue, stream).record(tissue, stream))
                    columns.setdefault(name, seen.sizes["change_name"])
                one = time.perf_counter() - began
            else:
                one *= 1 + len(probes)
        spent += one
        measured += len(anatomy.members)
        total += one * len(anatomy.members)
    subjects = sum(len(anatomy.members) for anatomy in anatomies)
    return (total * subjects / measured if measured else 0.0), columns


def decoding_seconds(
    analyses: Mapping[str, Analysis],
    subjects: Sequence[Subject],
    columns: Mapping[str, int],
    visits: int,
) -> float:
    """Estimate how long one worker would take for all analyses, from one fit of each classifier."""
    rules = [subject.label for subject in subjects]
    seconds: dict[tuple[str, str], float] = {}
    total = 0.0
    for analysis in analyses.values():
        named = [rule for rule in rules if rule not in analysis.others]
        widths = [columns[name] for name in columns if name in (analysis.probes or columns)]
        if not widths or len(set(named)) < 2:
            continue
        strict = analysis.scheme == "strict"
        moments = min(max(visits - 1, 1), STAGES)
        width = max(widths) * (2 * GROUPS - 1) if strict else len(PUBLISHED)
        samples = _like(named, width, moments if strict else visits)
        for name in analysis.classifiers:
            classifier = CLASSIFIERS[name]()
            grid = classifier.grid("strict" if strict else analysis.grid, samples)
            if (name, analysis.scheme) not in seconds:
                rows = np.arange(len(samples.labels))
                began = time.perf_counter()
                with torch_threads(1):
                    fit(classifier, samples, rows, grid[len(grid) // 2], 0)
                slower = (len(named) / len(rows)) ** _GROWTH
                seconds[name, analysis.scheme] = (time.perf_counter() - began) * max(slower, 1)
            fits = _fits(analysis, len(grid), len(set(named)))
            total += seconds[name, analysis.scheme] * fits * len(widths) * len(analysis.observables)
    return total


def _fits(analysis: Analysis, grid: int, rules: int) -> int:
    """Count the fits of one classifier to one observable of one probe."""
    if analysis.scheme != "strict":
        return analysis.splits * (grid * 5 + 1) * 2
    one = grid * analysis.inner_folds + analysis.inner_folds + 1
    passes = 1 + analysis.permutations + len(CONTROLS) + _BESIDE
    return analysis.folds * (passes * one + (rules if rules > 2 else 0))


def _like(rules: Sequence[str], width: int, visits: int) -> Samples:
    """Random samples like those of some subjects, but no more than a piece takes."""
    stream = np.random.default_rng(0)
    names = sorted(set(rules))
    labels = np.array(names * max(1, min(_MOST_ROWS, len(rules)) // len(names)), dtype=object)
    values = stream.normal(size=(len(labels), width * visits))
    return Samples(values, labels, np.arange(len(labels)), visits)


def precision(subjects: Sequence[Subject]) -> str:
    """Say what so many subjects tell of an accuracy; empty where there is but one rule."""
    counts = Counter(subject.label for subject in subjects)
    if len(counts) < 2:
        return ""
    numbers = np.array(sorted(counts.values()))
    right = np.round(_ACCURACY * numbers)
    confusion = np.diag(right)
    for row, wrong in enumerate(numbers - right):
        confusion[row, (row + 1) % len(numbers)] += wrong
    low, high = interval(confusion, 0.95, 0)
    span = f"{numbers[0]}" if numbers[0] == numbers[-1] else f"{numbers[0]} to {numbers[-1]}"
    who = f"{span} subject{'' if span == '1' else 's'} of each of {len(counts)} rules"
    known = f"is known to ± {(high - low) / 2:.2f} (95 % interval)"
    return f"{who}: an accuracy of {_ACCURACY:.2f} {known}"
