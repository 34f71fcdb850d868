"""Are stated probabilities calibrated, for every observable? ``python studies/calibration.py``.

Draws cohorts from the subjects of runs/quickstart.zarr (``make quickstart``): the mean of a
subject's rule plus random combinations of the deviations of subjects from the mean of their rule.
Any number can be drawn, so stated probabilities are compared with the accuracy on 1,600 subjects
that had no part in training, and the distance between rules can be scaled. Takes about ten minutes
on two cores. Writes docs/science/results/calibration.md.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed

from virtuallab.decoder.diagnostics.reliability import reliability
from virtuallab.decoder.features.samples import Samples, by_subject
from virtuallab.decoder.fitted_decoder import FittedDecoder
from virtuallab.decoder.schemes.cross_validation import cross_validate_calibrated
from virtuallab.installed import begin_process
from virtuallab.lab.stages.decode import recorded_features
from virtuallab.registry import CLASSIFIERS
from virtuallab.reporting.style import pretty
from virtuallab.store import Store

ROOT = Path(__file__).parent.parent
RESULT = ROOT / "docs" / "science" / "results" / "calibration.md"
CLASSIFIER = CLASSIFIERS["kernel_svm"]()
PROBE = "units_200_noisy"
OBSERVABLES = ("weights", "activity", "activity_change", "all")
SEPARATIONS = (0.5, 0.7, 1.4)
TRAINED_ON, ASKED = 32, 400  # subjects of each rule; 160 subjects in five folds leave 32 to train
SUMMED = 3  # deviations that make up one drawn subject


@dataclass(frozen=True)
class Cohorts:
    """Subjects to draw from."""

    centres: np.ndarray
    deviations: np.ndarray
    rules: list[str]

    @classmethod
    def of(cls, samples: Samples) -> Cohorts:
        """Split samples into means of rules and deviations from these."""
        finite = np.where(np.isfinite(samples.values), samples.values, np.nan)
        filled = np.where(np.isfinite(finite), finite, np.nan_to_num(np.nanmedian(finite, axis=0)))
        values = np.clip(filled, *np.quantile(filled, [0.01, 0.99], axis=0))
        rules = sorted(set(samples.labels.tolist()))
        number = [rules.index(rule) for rule in samples.labels.tolist()]
        means = np.stack([values[samples.labels == rule].mean(0) for rule in rules])
        return cls(means, values - means[number], rules)

    def draw(self, each: int, separation: float, seed: tuple[int, ...]) -> Samples:
        """Draw subjects of every rule, whose means lie ``separation`` times as far apart."""
        stream = np.random.default_rng(seed)
        number = np.repeat(np.arange(len(self.rules)), each)
        overall = self.centres.mean(0)
        values = overall + separation * (self.centres - overall)[number]
        for _ in range(SUMMED):
            chosen = self.deviations[stream.integers(len(self.deviations), size=len(number))]
            sign = stream.choice([-1.0, 1.0], size=(len(number), 1))
            values = values + sign * chosen / np.sqrt(SUMMED)
        names = np.array(self.rules, dtype=object)[number]
        return Samples(values, names, np.arange(len(number)), 1)


def numbers(samples: Samples, rules: list[str]) -> np.ndarray:
    """Number of each subject's rule."""
    return np.array([rules.index(rule) for rule in samples.labels.tolist()])


def one_decoder(cohorts: Cohorts, separation: float, repeat: int) -> list[float]:
    """Train a decoder on one cohort and apply it to another."""
    known = cohorts.draw(TRAINED_ON, separation, (repeat, 0))
    asked = cohorts.draw(ASKED, separation, (repeat, 1))
    truth = numbers(asked, cohorts.rules)
    decoder = FittedDecoder.train(CLASSIFIER, known, cohorts.rules, inner_folds=3, seed=repeat)
    prediction = decoder.predict(asked.values)
    probability = prediction.probability.to_numpy()
    warm = replace(decoder, temperature=1.0)
    uncalibrated = warm.predict(asked.values).probability.to_numpy()
    right = (probability.argmax(1) == truth).mean()
    found = reliability(probability, truth)
    covered = prediction.sets(0.9).to_numpy()[np.arange(len(truth)), truth].mean()
    return [
        right,
        probability.max(1).mean() - right,
        uncalibrated.max(1).mean() - right,
        found.error,
        found.least_error,
        found.brier,
        covered,
    ]


def one_experiment(samples: Samples, rules: list[str], seed: int) -> tuple[float, float]:
    """Accuracy, and stated probability minus accuracy, of all subjects in five folds."""
    _, prediction = cross_validate_calibrated(
        CLASSIFIER, samples, rules, folds=5, inner_folds=3, seed=seed
    )
    probability = prediction.probability.to_numpy()
    right = (probability.argmax(1) == numbers(samples, rules)).mean()
    return float(right), float(probability.max(1).mean() - right)


def drawn_experiment(cohorts: Cohorts, separation: float, repeat: int) -> tuple[float, float]:
    """One experiment on a cohort of 160 subjects."""
    return one_experiment(cohorts.draw(40, separation, (repeat, 2)), cohorts.rules, repeat)


def main() -> None:
    """Draw, decode, and write a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", type=Path, default=ROOT / "runs" / "quickstart.zarr")
    parser.add_argument("--repeats", type=int, default=30)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    features = recorded_features(Store.open(given.store), PROBE).load()
    parallel = Parallel(n_jobs=given.workers, initializer=begin_process)
    lines = [
        "| from | separation | accuracy | stated minus accuracy "
        "| stated minus accuracy, uncalibrated | calibration error (if exact) | Brier "
        "| coverage of 90 % sets |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for observable in OBSERVABLES:
        cohorts = Cohorts.of(by_subject(features, observable))
        for separation in SEPARATIONS:
            ask = partial(one_decoder, cohorts, separation)
            found = np.array(parallel(delayed(ask)(repeat) for repeat in range(given.repeats)))
            mean, error = found.mean(0), found.std(0, ddof=1) / np.sqrt(given.repeats)
            cells = (
                pretty(observable),
                f"{separation}",
                f"{mean[0]:.2f}",
                f"{mean[1]:+.3f} ± {error[1]:.3f}",
                f"{mean[2]:+.3f} ± {error[2]:.3f}",
                f"{mean[3]:.3f} ({mean[4]:.3f})",
                f"{mean[5]:.3f}",
                f"{mean[6]:.3f} ± {error[6]:.3f}",
            )
            lines.append("| " + " | ".join(cells) + " |")
            print(lines[-1], flush=True)
    samples = by_subject(features, "activity_change")
    cohorts = Cohorts.of(samples)
    run = partial(drawn_experiment, cohorts, SEPARATIONS[1])
    drawn = np.array(parallel(delayed(run)(repeat) for repeat in range(given.repeats)))
    own = partial(one_experiment, samples, cohorts.rules)
    stored = np.array(parallel(delayed(own)(seed) for seed in range(10)))
    lines += [
        "",
        f"Means over {given.repeats} decoders, each trained on {4 * TRAINED_ON} subjects of four "
        f"rules and tested on {4 * ASKED} others; ± one standard error.",
        "",
        f"Whole experiments of 160 subjects in five folds, activity change, separation "
        f"{SEPARATIONS[1]}: stated minus accuracy has the mean {drawn[:, 1].mean():+.3f} and the "
        f"standard deviation {drawn[:, 1].std(ddof=1):.3f}; {(drawn[:, 1] > 0.07).mean():.0%} of "
        f"the experiments are above 0.07 and {(drawn[:, 1] < -0.07).mean():.0%} below -0.07. The "
        f"stored subjects (accuracy {stored[:, 0].mean():.2f}): {stored[:, 1].mean():+.3f}, the "
        f"mean of ten draws of the folds, which range from {stored[:, 1].min():+.3f} to "
        f"{stored[:, 1].max():+.3f}.",
    ]
    RESULT.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines[-3:]))


if __name__ == "__main__":
    main()
