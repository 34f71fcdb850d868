"""Coverage of the printed intervals: ``python studies/coverage.py``.

Simulates experiments with a known accuracy on new subjects, and counts how often the intervals of
accuracies and of paired differences contain it (about ten minutes on one core). Subjects are
Gaussian. Most experiments are decoded by a linear discriminant in closed form, a thousand at once;
a smaller number by the strict scheme itself. Writes docs/science/results/coverage.md, which also
has the intervals of earlier versions.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.stats import beta

from virtuallab.decoder import Analysis
from virtuallab.decoder.controls.common.chance import INFLATION, accuracy_at_chance
from virtuallab.decoder.features.samples import Samples
from virtuallab.decoder.model_selection import fit, grid_search, stratified
from virtuallab.decoder.schemes.cross_validation import cross_validate
from virtuallab.decoder.uncertainty.comparison import accuracy_interval, difference
from virtuallab.registry import CLASSIFIERS

RESULTS = Path(__file__).parent.parent / "docs" / "science" / "results" / "coverage.md"
CONFIDENCE, WANTED = 0.95, 0.94
TAILS = np.array([(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
REPEATS = Analysis().repeats
NEW = 20_000  # subjects on which the truth is measured
ACCURACIES = {2: (0.5, 0.65, 0.8, 0.95), 4: (0.25, 0.5, 0.8, 0.95)}
SHARED = 0.7  # correlation of two recordings of the same subjects
DRAWS = 1_000  # of the bootstrap of earlier versions


@dataclass(frozen=True)
class Cell:
    """A kind of experiment.

    Parameters
    ----------
    rules, subjects : int
    accuracy : float
        On new subjects, that the separation of the rules is set to give.
    columns : int
    ridge : float or None
        Share of the pooled covariance that is replaced by its mean variance; None for nearest
        centroids, which look at no covariance.
    folds : int
    """

    rules: int
    subjects: int
    accuracy: float
    columns: int = 10
    ridge: float | None = 0.1
    folds: int = Analysis().folds

    @property
    def each(self) -> int:
        """Subjects of a rule."""
        return self.subjects // self.rules

    @property
    def truth(self) -> np.ndarray:
        """Rule of each subject."""
        return np.repeat(np.arange(self.rules), self.each)

    def centres(self, apart: float) -> np.ndarray:
        """Means of the rules, at equal distances from one another."""
        found: np.ndarray = apart / np.sqrt(2) * np.eye(self.rules, self.columns)
        return found

    def machine(self, values: np.ndarray, kept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Train on the kept subjects: weights (experiment, column, rule), and thresholds.

        Parameters
        ----------
        values : array, (experiment, subject, column)
        kept : array of bool, (experiment, subject)
        """
        shape = (len(values), self.rules, -1)
        weight = kept.reshape(shape).astype(float)
        by_rule = values.reshape(*shape, self.columns)
        count = weight.sum(2)
        mean = np.einsum("ekn,eknd->ekd", weight, by_rule) / count[..., None]
        slopes = mean.transpose(0, 2, 1)
        if self.ridge is not None:
            rest = ((by_rule - mean[:, :, None]) * weight[..., None]).reshape(values.shape)
            spread = rest.transpose(0, 2, 1) @ rest / (count.sum(1) - self.rules)[:, None, None]
            level = np.einsum("edd->e", spread)[:, None, None] / self.columns
            spread = (1 - self.ridge) * spread + self.ridge * level * np.eye(self.columns)
            slopes = np.linalg.solve(spread, slopes)
        return slopes, -0.5 * np.einsum("ekd,edk->ek", mean, slopes)

    def right(self, values: np.ndarray, folds: np.ndarray) -> np.ndarray:
        """Identified subjects of each fold's test set, (draw, experiment, subject)."""
        found = np.zeros(folds.shape, dtype=bool)
        for draw, fold in enumerate(folds):
            for number in range(self.folds):
                slopes, level = self.machine(values, fold != number)
                named = (values @ slopes + level[:, None]).argmax(-1)
                found[draw] |= (fold == number) & (named == self.truth)
        return found

    def drawn_folds(self, experiments: int, draws: int, stream: np.random.Generator) -> np.ndarray:
        """Fold of each subject, stratified by rule, (draw, experiment, subject)."""
        order = stream.random((draws, experiments, self.rules, self.each)).argsort(-1)
        return (order % self.folds).reshape(draws, experiments, -1)

    def on_new(self, values: np.ndarray, centres: np.ndarray) -> float:
        """Mean accuracy on new subjects of decoders trained on each of these experiments."""
        stream = np.random.default_rng(7)
        slopes, level = self.machine(values, np.ones(values.shape[:2], dtype=bool))
        count = NEW // self.rules
        right = 0.0
        for rule, centre in enumerate(centres):
            new = centre + stream.standard_normal((count, self.columns))
            for some, bar in zip(slopes, level, strict=True):  # one decoder at a time, for memory
                right += ((new @ some + bar).argmax(-1) == rule).mean()
        return right / self.rules / len(values)

    def apart(self, stream: np.random.Generator) -> float:
        """Distance between rules that gives the accuracy."""
        if self.accuracy <= 1 / self.rules:
            return 0.0
        noise = stream.standard_normal((60, self.subjects, self.columns))
        low, high = 0.0, 12.0
        for _ in range(12):
            middle = (low + high) / 2
            centres = self.centres(middle)
            more = self.on_new(noise + centres[self.truth], centres) < self.accuracy
            low, high = (middle, high) if more else (low, middle)
        return (low + high) / 2


def old_interval(right: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Interval of earlier versions: Jeffreys' prior for each rule, subjects as if independent."""
    stream = np.random.default_rng(0)
    rules = np.unique(truth)
    hits = np.stack([right[:, truth == rule].sum(1) for rule in rules], axis=1)
    each = (truth == rules[0]).sum()
    bounds = [
        np.quantile(stream.beta(of + 0.5, each - of + 0.5, (DRAWS, len(rules))).mean(1), TAILS)
        for of in hits
    ]
    low, high = np.transpose(bounds)
    return low, high


def old_difference(ahead: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Interval of earlier versions: a bootstrap over subjects (the same draws for all)."""
    stream = np.random.default_rng(0)
    times = np.zeros((DRAWS, len(truth)))
    for rule in np.unique(truth):
        mine = np.flatnonzero(truth == rule)
        times[:, mine] = stream.multinomial(len(mine), np.full(len(mine), 1 / len(mine)), DRAWS)
    low, high = np.quantile(ahead @ times.T / len(truth), TAILS, axis=1)
    return low, high


def held(bounds: tuple[np.ndarray, np.ndarray], truth: float) -> float:
    """Share of intervals that contain the true value."""
    return float(((bounds[0] <= truth) & (truth <= bounds[1])).mean())


def width(bounds: tuple[np.ndarray, np.ndarray]) -> float:
    """Mean width of intervals."""
    return float((bounds[1] - bounds[0]).mean())


def intervals(right: np.ndarray, truth: np.ndarray, repeats: int) -> tuple[np.ndarray, np.ndarray]:
    """Intervals of this version, of each experiment."""
    each = [accuracy_interval(mine, truth, CONFIDENCE, repeats=repeats) for mine in right]
    low, high = np.transpose(each)
    return low, high


def differences(
    one: np.ndarray, other: np.ndarray, truth: np.ndarray, repeats: int
) -> tuple[np.ndarray, np.ndarray]:
    """Intervals of differences, of each experiment."""
    pairs = zip(one, other, strict=True)
    each = [difference(a, b, truth, CONFIDENCE, repeats=repeats) for a, b in pairs]
    _, low, high = np.transpose(each)
    return low, high


def binomial_width(cell: Cell, accuracy: float) -> float:
    """Mean width of Jeffreys' interval of as many independent subjects, all counted as one rule."""
    hits = np.random.default_rng(1).binomial(cell.subjects, accuracy, 4_000)
    low, high = (beta.ppf(t, hits + 0.5, cell.subjects - hits + 0.5) for t in TAILS)
    return float((high - low).mean())


class Tally:
    """Number of table cells, and those with too low a coverage."""

    def __init__(self) -> None:
        self.short: list[str] = []
        self.cells = 0

    def write(self, share: float, count: int, where: str) -> str:
        """Text of the coverage with its Monte Carlo error; a coverage that is too low is noted."""
        error = np.sqrt(max(share * (1 - share), 1 / count) / count)
        self.cells += 1
        if share + error < WANTED:
            self.short.append(f"{where}: {share:.3f}")
        return f"{share:.3f} ± {error:.3f}"


@dataclass(frozen=True)
class Simulated:
    """Results of many experiments of one kind, each decoded from three recordings."""

    cell: Cell
    right: np.ndarray  # (recording, draw, experiment, subject)
    accuracy: tuple[float, ...]  # on new subjects, of each recording
    smaller: float  # of the first, trained on as many subjects as a fold trains on


def simulated(cell: Cell, experiments: int, seed: int, *, recordings: int = 3) -> Simulated:
    """Draw experiments and decode them.

    The second recording is as good as the first and shares noise with it; the third has noise of
    its own and reaches half as far above chance.
    """
    stream = np.random.default_rng(seed)
    worse = replace(cell, accuracy=(cell.accuracy + 1 / cell.rules) / 2)
    far = cell.apart(stream)
    near = worse.apart(stream) if recordings > 2 else far
    shape = (experiments, cell.subjects, cell.columns)
    noise = [stream.standard_normal(shape) for _ in range(recordings)]
    if recordings > 1:
        noise[1] = SHARED * noise[0] + np.sqrt(1 - SHARED**2) * noise[1]
    folds = cell.drawn_folds(experiments, REPEATS, stream)
    right, accuracy, smaller = [], [], 0.0
    for number, each in enumerate(noise):
        centres = cell.centres(near if number == 2 else far)
        values = each + centres[cell.truth]
        right.append(cell.right(values, folds))
        accuracy.append(cell.on_new(values[:250], centres))
        if not number:
            kept = np.tile(np.arange(cell.each), cell.rules) % cell.folds > 0
            fewer = replace(cell, subjects=int(kept.sum()))
            smaller = fewer.on_new(values[:250, kept], centres)
    return Simulated(cell, np.stack(right), tuple(accuracy), smaller)


def of_accuracies(found: Sequence[Simulated], tally: Tally) -> Iterator[str]:
    """Table: intervals of accuracies."""
    yield (
        "| rules | subjects | accuracy | estimate minus accuracy | scatter, 1 draw | 5 draws "
        "| earlier interval contains it | this one, 1 draw | 5 draws | width: binomial | earlier "
        "| 5 draws |"
    )
    yield "|" + "---|" * 12
    for each in found:
        cell, truth = each.cell, each.accuracy[0]
        first, mean = each.right[0, 0].astype(float), each.right[0].mean(0)
        binomial = np.sqrt(truth * (1 - truth) / cell.subjects)
        old = old_interval(each.right[0, 0], cell.truth)
        one, five = intervals(first, cell.truth, 1), intervals(mean, cell.truth, REPEATS)
        where = f"accuracy {truth:.2f} of {cell.rules} rules, {cell.subjects} subjects"
        count = len(mean)
        yield (
            f"| {cell.rules} | {cell.subjects} | {truth:.3f} | {mean.mean() - truth:+.3f} "
            f"| {first.mean(1).std() / binomial:.2f} | {mean.mean(1).std() / binomial:.2f} "
            f"| {held(old, truth):.3f} "
            f"| {tally.write(held(one, truth), count, f'{where}, 1 draw')} "
            f"| **{tally.write(held(five, truth), count, f'{where}, 5 draws')}** "
            f"| {binomial_width(cell, truth):.3f} | {width(old):.3f} | {width(five):.3f} |"
        )


def of_differences(found: Sequence[Simulated], tally: Tally) -> Iterator[str]:
    """Table: intervals of differences."""
    yield (
        "| rules | subjects | accuracies | difference | earlier interval contains it "
        "| this one, 1 draw | 5 draws | width: earlier | 5 draws |"
    )
    yield "|" + "---|" * 9
    for each in found:
        cell = each.cell
        for other in (1, 2):
            truth = each.accuracy[0] - each.accuracy[other]
            pair = each.right[[0, other]]
            first, mean = pair[:, 0].astype(float), pair.mean(1)
            old = old_difference(first[0] - first[1], cell.truth)
            one = differences(first[0], first[1], cell.truth, 1)
            five = differences(mean[0], mean[1], cell.truth, REPEATS)
            where = f"difference {truth:+.2f} of {cell.rules} rules, {cell.subjects} subjects"
            count = mean.shape[1]
            yield (
                f"| {cell.rules} | {cell.subjects} "
                f"| {each.accuracy[0]:.2f}, {each.accuracy[other]:.2f} | {truth:+.3f} "
                f"| {held(old, truth):.3f} "
                f"| {tally.write(held(one, truth), count, f'{where}, 1 draw')} "
                f"| **{tally.write(held(five, truth), count, f'{where}, 5 draws')}** "
                f"| {width(old):.3f} | {width(five):.3f} |"
            )


HARD = {
    "20 columns": [Cell(k, 40, p, 20) for k, p in ((2, 0.65), (2, 0.8), (4, 0.8), (4, 0.95))],
    "60 columns, nearest centroid": [Cell(2, n, 0.65, 60, None) for n in (40, 160)],
    "three folds": [Cell(2, 160, 0.8, folds=3), Cell(4, 40, 0.95, folds=3)],
    "ten folds": [Cell(2, 160, 0.8, folds=10), Cell(4, 40, 0.95, folds=10)],
}


def of_hard(experiments: int) -> Iterator[str]:
    """Table of decoders that gain much from more subjects than a fold has."""
    yield (
        "| decoder | rules | subjects | accuracy, trained on the sample | on a fold's subjects "
        "| scatter, 5 draws | interval contains the former | the latter |"
    )
    yield "|" + "---|" * 8
    tally = Tally()
    for name, cells in HARD.items():
        for cell in cells:
            each = simulated(cell, experiments, 5, recordings=1)
            truth, mean = each.accuracy[0], each.right[0].mean(0)
            bounds = intervals(mean, cell.truth, REPEATS)
            binomial = np.sqrt(truth * (1 - truth) / cell.subjects)
            yield (
                f"| {name} | {cell.rules} | {cell.subjects} | {truth:.3f} | {each.smaller:.3f} "
                f"| {mean.mean(1).std() / binomial:.2f} "
                f"| {tally.write(held(bounds, truth), experiments, '')} "
                f"| {tally.write(held(bounds, each.smaller), experiments, '')} |"
            )


@dataclass(frozen=True)
class Kernel:
    """Experiments decoded by a kernel machine in closed form (ridge regression on the classes)."""

    cell: Cell
    apart: float
    ridge: float = 0.1

    def named(self, known: np.ndarray, truth: np.ndarray, asked: np.ndarray) -> np.ndarray:
        """Train on known subjects, and predict the rules of others."""
        target = np.eye(self.cell.rules)[truth]
        near = self._kernel(known, known) + self.ridge * np.eye(len(known))
        weight = np.linalg.solve(near, target - target.mean(0))
        found: np.ndarray = (self._kernel(asked, known) @ weight + target.mean(0)).argmax(1)
        return found

    def _kernel(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        squares = (one**2).sum(1)[:, None] + (other**2).sum(1) - 2 * one @ other.T
        found: np.ndarray = np.exp(-np.maximum(squares, 0) / self.cell.columns)
        return found

    def simulated(self, experiments: int) -> tuple[np.ndarray, float]:
        """Identified subjects, (draw, experiment, subject), and the accuracy on new subjects."""
        cell, stream = self.cell, np.random.default_rng(13)
        centres = cell.centres(self.apart)
        new_truth = np.repeat(np.arange(cell.rules), 2_000 // cell.rules)
        folds = cell.drawn_folds(experiments, REPEATS, stream)
        right, on_new = np.zeros(folds.shape), np.zeros(experiments)
        for number in range(experiments):
            values = stream.standard_normal((cell.subjects, cell.columns)) + centres[cell.truth]
            for draw, fold in enumerate(folds[:, number]):
                for test in (fold == each for each in range(cell.folds)):
                    named = self.named(values[~test], cell.truth[~test], values[test])
                    right[draw, number, test] = named == cell.truth[test]
            new = stream.standard_normal((len(new_truth), cell.columns)) + centres[new_truth]
            on_new[number] = (self.named(values, cell.truth, new) == new_truth).mean()
        return right, float(on_new.mean())


KERNELS = (
    Kernel(Cell(2, 40, 0), 0.0),
    Kernel(Cell(2, 40, 0), 1.2),
    Kernel(Cell(2, 160, 0), 1.2),
    Kernel(Cell(2, 160, 0, 30), 2.0),
    Kernel(Cell(4, 40, 0), 2.0),
    Kernel(Cell(4, 160, 0), 2.0),
)


def of_kernels(experiments: int, tally: Tally) -> Iterator[str]:
    """Table of kernel machines, whose scatter is largest at intermediate accuracies."""
    yield (
        "| rules | subjects | columns | accuracy | estimate minus accuracy | scatter, 1 draw "
        "| 5 draws | this interval, 1 draw | 5 draws |"
    )
    yield "|" + "---|" * 9
    for kernel in KERNELS:
        cell = kernel.cell
        right, truth = kernel.simulated(experiments)
        first, mean = right[0], right.mean(0)
        binomial = np.sqrt(truth * (1 - truth) / cell.subjects)
        one = held(intervals(first, cell.truth, 1), truth)
        five = held(intervals(mean, cell.truth, REPEATS), truth)
        where = f"kernel machine at {truth:.2f}, {cell.rules} rules, {cell.subjects} subjects"
        yield (
            f"| {cell.rules} | {cell.subjects} | {cell.columns} | {truth:.3f} "
            f"| {mean.mean() - truth:+.3f} "
            f"| {first.mean(1).std() / binomial:.2f} | {mean.mean(1).std() / binomial:.2f} "
            f"| {tally.write(one, experiments, f'{where}, 1 draw')} "
            f"| **{tally.write(five, experiments, f'{where}, 5 draws')}** |"
        )


def of_scheme(experiments: int, tally: Tally) -> Iterator[str]:
    """Table of the complete strict scheme, with preprocessing and selection of settings."""
    yield "| decoded by | rules | subjects | accuracy | interval contains it, 5 draws |"
    yield "|" + "---|" * 5
    alone, both = ("kernel_svm",), ("kernel_svm", "logistic_regression")
    for cell, names in {
        Cell(2, 40, 0.5): alone,
        Cell(2, 40, 0.8): both,
        Cell(4, 40, 0.95): alone,
        Cell(2, 160, 0.65): alone,
    }.items():
        count = experiments if len(names) == 1 else experiments // 2  # the choice takes long
        right, truth = strictly(cell, names, count)
        ends = f"{cell.rules} rules, {cell.subjects} subjects"
        for name in names:
            share = held(intervals(right[name], cell.truth, REPEATS), truth[name])
            yield (
                f"| {name} | {cell.rules} | {cell.subjects} | {truth[name]:.3f} "
                f"| {tally.write(share, count, f'{name}, {ends}')} |"
            )
        if len(names) > 1:
            apart = truth[names[1]] - truth[names[0]]
            pair = differences(right[names[1]], right[names[0]], cell.truth, REPEATS)
            share = held(pair, apart)
            yield (
                f"| {names[1]} minus {names[0]} | {cell.rules} | {cell.subjects} | {apart:+.3f} "
                f"| {tally.write(share, count, f'difference of the two, {ends}')} |"
            )


def strictly(
    cell: Cell, names: Sequence[str], experiments: int
) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """Subjects identified by the strict scheme, and the mean accuracy on new subjects."""
    stream = np.random.default_rng(11)
    centres = cell.centres(cell.apart(stream))
    new_truth = np.repeat(np.arange(cell.rules), 2_000 // cell.rules)
    every = np.concatenate([cell.truth, new_truth])
    known = np.arange(len(every)) < cell.subjects
    classes = [f"rule {rule}" for rule in range(cell.rules)]
    labels = np.array(classes)[every]
    right = {name: np.zeros((experiments, cell.subjects)) for name in names}
    on_new = {name: np.zeros(experiments) for name in names}
    inner = Analysis().inner_folds
    for number in range(experiments):
        values = stream.standard_normal((len(every), cell.columns)) + centres[every]
        mine = Samples(values[known], labels[known], np.arange(cell.subjects), 1)
        for name in names:
            classifier = CLASSIFIERS[name]()
            right[name][number] = cross_validate(
                classifier,
                mine,
                classes,
                folds=cell.folds,
                inner_folds=inner,
                seed=number,
                repeats=REPEATS,
            ).correct
            grid, folds = classifier.grid("strict", mine), stratified(inner, number)
            fitted = fit(grid_search(classifier, mine, grid, folds, number), mine)
            on_new[name][number] = (fitted.predict(values[~known]) == labels[~known]).mean()
    return right, {name: float(found.mean()) for name, found in on_new.items()}


def of_controls(experiments: int) -> Iterator[str]:
    """Table of the share of controls that fail on noise, tested alone, by one draw of folds."""
    yield "| decoder | rules | subjects | scatter | fails at 5 % | at 1 % |"
    yield "|" + "---|" * 6
    kinds = {"10 columns": (10, 0.1), "60 columns, nearest centroid": (60, None)}
    for name, (columns, ridge) in kinds.items():
        for rules, subjects in ((2, 40), (2, 160), (4, 40), (4, 160)):
            cell = Cell(rules, subjects, 1 / rules, columns, ridge)
            stream = np.random.default_rng(3)
            values = stream.standard_normal((experiments, subjects, columns))
            accuracy = cell.right(values, cell.drawn_folds(experiments, 1, stream))[0].mean(1)
            tested = np.full(rules, float(cell.each))
            failed = [
                np.mean([not accuracy_at_chance("", float(a), tested, c).passed for a in accuracy])
                for c in (0.95, 0.99)
            ]
            scatter = accuracy.std() / np.sqrt((1 - 1 / rules) / rules / subjects)
            yield (
                f"| {name} | {rules} | {subjects} | {scatter:.2f} "
                f"| {failed[0]:.3f} | {failed[1]:.3f} |"
            )


def written(experiments: int, nested: int) -> str:
    """Run the simulations and return the text of the page."""
    tally = Tally()
    cells = [Cell(k, n, p) for k, some in ACCURACIES.items() for n in (40, 160) for p in some]
    found = [simulated(cell, experiments, seed) for seed, cell in enumerate(cells)]
    accuracy, pairs = (
        "\n".join(of_accuracies(found, tally)),
        "\n".join(of_differences(found, tally)),
    )
    kernels = "\n".join(of_kernels(experiments, tally))
    scheme = "\n".join(of_scheme(nested, tally))
    short = "; ".join(tally.short)
    verdict = (
        f"Too low, by more than the Monte Carlo error: {short}."
        if short
        else f"In all {tally.cells} cases of these four tables the coverage is at least {WANTED:g} "
        "within its Monte Carlo error."
    )
    return f"""**Accuracies**

{accuracy}

*{experiments:,} simulated experiments per row: Gaussian subjects with ten columns, a linear
discriminant, five folds. Accuracy: on new subjects, mean over samples of this size ({NEW:,} new
subjects for each of 250 decoders). Draws: of the folds. Scatter: standard deviation of the estimate
over experiments, divided by that for the same number of independent subjects. Contains it: share of
experiments whose 95 % interval contains the accuracy, ± its Monte Carlo error. Earlier interval:
Jeffreys' prior for each rule, one draw of the folds. Width: mean width; binomial is Jeffreys'
interval for the same number of independent subjects.*

**Paired differences**

{pairs}

*The same experiments. Each sample is decoded from two recordings with the same folds. In the
first row of a pair, the second recording is equally accurate and shares noise (correlation
{SHARED:g}); in the second row it has independent noise and half the accuracy above chance. Earlier
interval: a bootstrap over subjects.*

**Kernel machines**

{kernels}

*{experiments:,} experiments per row, decoded by a kernel machine in closed form, similar to the
default decoder. Its scatter is largest at intermediate accuracies, where it equals the scatter that
the interval allows for, or exceeds it slightly.*

**The strict scheme itself**

{scheme}

*{nested} experiments per row, {nested // 2} where two classifiers are compared: the complete strict
scheme, with all processing inside a fold. Logistic regression selects its settings by inner folds.*

{verdict}

**Decoders that would gain much from more subjects**

{chr(10).join(of_hard(experiments))}

*Trained on the whole sample, or on as many subjects as in a fold (four fifths; two thirds with
three folds). If a decoder gains much from more subjects, the estimate is below the accuracy of a
decoder trained on the whole sample, and intervals contain that accuracy less often.*

**Controls that must be at chance**

{chr(10).join(of_controls(2 * experiments))}

*Noise independent of the rule, {2 * experiments:,} experiments per row, one draw of the folds. Each
control is tested alone against guessing with a scatter of {INFLATION:g}
(`virtuallab.decoder.controls.common.chance`).*
"""


def main() -> None:
    """Simulate, print, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--experiments", type=int, default=1_000, help="simulated, of each kind")
    parser.add_argument("--nested", type=int, default=200, help="others, by the strict scheme")
    parser.add_argument("--to", type=Path, default=RESULTS, help="where to write the tables")
    asked = parser.parse_args()
    began = time.monotonic()
    text = written(asked.experiments, asked.nested)
    asked.to.write_text(text, encoding="utf-8")
    print(text)
    print(f"Took {(time.monotonic() - began) / 60:.0f} minutes.")


if __name__ == "__main__":
    main()
