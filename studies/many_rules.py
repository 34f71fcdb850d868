"""Which rules can the activity of 300 units distinguish? ``python studies/many_rules.py``.

Runs protocols/many_rules.yaml, or continues it (about ten minutes on two cores). Writes
docs/images/many_rules.png, the confusion matrix, and docs/science/results/many_rules.md: each rule,
the controls, and the pairs hardest to distinguish.
Other quantities that could identify a rule (its performance, its learning rate) are decoded by the
same scheme, from values that no probe records.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import xarray as xr

import virtuallab
from virtuallab import seeds
from virtuallab.decoder import Analysis
from virtuallab.decoder.evaluation import evaluate
from virtuallab.decoder.features.samples import Samples
from virtuallab.decoder.schemes.cross_validation import cross_validate
from virtuallab.decoder.uncertainty.intervals import balanced_accuracy, interval, mean_interval
from virtuallab.registry import CLASSIFIERS
from virtuallab.reporting.figures import confusion
from virtuallab.reporting.render import png
from virtuallab.reporting.results.estimate import Estimate
from virtuallab.reporting.style import pretty
from virtuallab.vocabulary import ACTIVITY, DIVERGED, LAYER, SUBJECT, VISIT

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PROTOCOL = ROOT / "protocols" / "many_rules.yaml"
STORE = ROOT / "runs" / "many_rules.zarr"
TWINS = ROOT / "runs" / "many_rules_twins.zarr"  # backpropagation under as many names
PROBE, CLASSIFIER = "units_300", "kernel_svm"
AS_GOOD = 0.05  # a rule learns as well as backpropagation if its mean accuracy is as near as this
HARDEST = 12
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Study:
    """Data of the subjects that can be decoded, in one order."""

    verdict: xr.Dataset
    features: xr.Dataset
    truth: xr.Dataset
    subjects: xr.Dataset
    seed: int

    @property
    def rules(self) -> list[str]:
        """All rules, with rules that are often confused side by side."""
        return confusion.neighbours(self.verdict["confusion"])

    @property
    def of(self) -> np.ndarray:
        """The rule of each subject."""
        return np.array([str(rule) for rule in self.features["rule"].to_numpy()])

    @property
    def reached(self) -> np.ndarray:
        """Validation accuracy of each subject at the end."""
        return self.truth["validation_performance"].isel({VISIT: -1}).to_numpy().astype(float)

    @property
    def repeats(self) -> int:
        """Draws of the folds over which the verdict is averaged."""
        return int(self.verdict.attrs["repeats"])

    def stream(self, purpose: str) -> int:
        """Seed of a decoder of this study."""
        return seeds.integer(self.seed, "study", purpose)


def verdict_in(tree: xr.DataTree) -> xr.Dataset:
    """The verdict on activity."""
    at = {"probe": PROBE, "observable": ACTIVITY, "classifier": CLASSIFIER}
    return tree["decoding/main"].to_dataset().sel(at).load()


def of_twins(names: int, workers: int | None) -> Estimate:
    """Accuracy for one rule under many names, which is at chance unless something leaks.

    All else is as in the protocol: each name has subjects, cohorts and random streams of its own.
    """
    twins = ", ".join(f"{{name: backprop, label: twin_{n:02}}}" for n in range(names))
    overrides = [f"subjects.rules=[{twins}]"]
    verdict = verdict_in(virtuallab.run(PROTOCOL, overrides, store=TWINS, workers=workers))
    return Estimate(float(verdict["balanced_accuracy"]), *verdict["interval"].to_numpy())


def guessed(study: Study) -> tuple[float, float]:
    """Where the balanced accuracy of a decoder that guesses lies in 95 of 100 tries."""
    stream = np.random.default_rng(study.stream("guess"))
    _, counts = np.unique(study.of, return_counts=True)
    shares = stream.binomial(counts, 1 / len(counts), size=(20_000, len(counts))) / counts
    low, high = np.quantile(shares.mean(1), [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)


def opened(workers: int | None) -> Study:
    """Run the experiment, or what is left to do of it, and open it."""
    tree = virtuallab.run(PROTOCOL, store=STORE, workers=workers)
    verdict = verdict_in(tree)
    subjects = tree["subjects"].to_dataset().load()
    names = verdict[SUBJECT].to_numpy()
    return Study(
        verdict=verdict,
        features=tree[f"features/{PROBE}"].to_dataset().sel({SUBJECT: names}).load(),
        truth=tree["truth"].to_dataset().sel({SUBJECT: names}).load(),
        subjects=subjects,
        seed=int(tree.attrs["seed"]),
    )


def estimate(counts: np.ndarray, repeats: int) -> Estimate:
    """Balanced accuracy with its interval, the mean over draws of the folds."""
    return Estimate(balanced_accuracy(counts), *interval(counts, CONFIDENCE, repeats=repeats))


def share(right: float, of: float, repeats: int) -> Estimate:
    """Share of one rule with its interval, as the balanced accuracy has it."""
    one = np.array([right / of]), np.array([of])
    return Estimate(right / of, *mean_interval(*one, CONFIDENCE, repeats=repeats))


def told_by(study: Study, values: np.ndarray, members: np.ndarray, name: str) -> Estimate:
    """Accuracy with which other quantities than activity identify the rules, by the same scheme."""
    analysis, seed = Analysis(), study.stream(name)
    samples = Samples(values[members], study.of[members], np.arange(members.sum()), visits=1)
    outcome = cross_validate(
        CLASSIFIERS[CLASSIFIER](),
        samples,
        sorted(set(samples.labels)),
        folds=analysis.folds,
        inner_folds=analysis.inner_folds,
        seed=seed,
        repeats=analysis.repeats,
    )
    return estimate(outcome.confusion, analysis.repeats)


def of_rules(study: Study) -> str:
    """Table of all rules."""
    counts = study.verdict["confusion"]
    angle = study.truth["total_gradient_angle"].isel({VISIT: slice(1, None)}).mean(VISIT)
    ratio = study.truth["gradient_norm_ratio"].isel({VISIT: slice(1, None)})
    size = xr.ufuncs.exp(xr.ufuncs.log(ratio.where(ratio > 0)).mean([VISIT, LAYER]))
    lines = [
        "| rule | recall, 95 % interval | most often identified as "
        "| validation accuracy, mean (sd) | angle to the gradient | length / gradient | diverged |",
        "|---|---|---|---|---|---|---|",
    ]
    everyone = np.array([str(rule) for rule in study.subjects["rule"].to_numpy()])
    lost = study.subjects["status"].to_numpy() == DIVERGED
    for rule in study.rules:
        row = counts.sel(true_rule=rule)
        others = row.drop_sel(predicted_rule=rule)
        total, most = float(row.sum()), float(others.max())
        tied = [str(r) for r in others["predicted_rule"].to_numpy()[others.to_numpy() == most]]
        taken = f"{', '.join(map(pretty, tied))} ({most / total:.2f})" if most else "none"
        mine = study.of == rule
        final = study.reached[mine]
        recall = share(float(row.sel(predicted_rule=rule)), total, study.repeats)
        lines.append(
            f"| {pretty(rule)} | {recall} | {taken} "
            f"| {final.mean():.3f} ({final.std(ddof=1):.3f}) "
            f"| {np.nanmean(angle.to_numpy()[mine]):.0f}° "
            f"| {np.exp(np.nanmean(np.log(size.to_numpy()[mine]))):.2g} "
            f"| {(lost & (everyone == rule)).sum()} of {(everyone == rule).sum()} |"
        )
    return "\n".join(lines)


def as_good(study: Study) -> list[str]:
    """Rules that learn about as well as backpropagation."""
    mean = {rule: study.reached[study.of == rule].mean() for rule in study.rules}
    return [rule for rule in study.rules if mean[rule] > mean["backprop"] - AS_GOOD]


def of_controls(study: Study, workers: int | None) -> str:
    """Table of the decoder, the controls, and other quantities that could identify the rule."""
    verdict, everyone = study.verdict, np.ones(len(study.of), dtype=bool)

    def stored(kind: str, name: str) -> Estimate:
        low, high = verdict[f"{kind}_interval"].sel({kind: name}).to_numpy()
        return Estimate(float(verdict[f"{kind}_accuracy"].sel({kind: name})), low, high)

    good = as_good(study)
    members = np.isin(study.of, good)
    again = evaluate(
        study.features.isel({SUBJECT: members}),
        Analysis(observables=(ACTIVITY,), classifiers=(CLASSIFIER,), permutations=1),
        study.stream("as good"),
    ).squeeze()
    curve = np.concatenate(
        [study.truth[name].to_numpy() for name in ("validation_performance", "validation_loss")],
        axis=1,
    )
    rate = np.log(study.features["learning_rate"].to_numpy())[:, None]
    bounds = verdict["interval"].to_numpy()
    rows = [
        ("**activity**", len(study.rules), Estimate(float(verdict["balanced_accuracy"]), *bounds)),
        ("control: visit 0 alone", len(study.rules), stored("control", "visit_0")),
        ("control: permuted labels", len(study.rules), stored("control", "permuted_labels")),
        ("control: learning rate alone", len(study.rules), told_by(study, rate, everyone, "rate")),
        (
            "control: backprop under as many names",
            len(study.rules),
            of_twins(len(study.rules), workers),
        ),
        ("learning curve alone", len(study.rules), told_by(study, curve, everyone, "curve")),
        *(
            (f"activity, held-out {name}", len(study.rules), stored("held_out", name))
            for name in map(str, verdict["held_out"].to_numpy())
        ),
        (
            "**activity**, rules that learn as well as backprop",
            len(good),
            Estimate(float(again["balanced_accuracy"]), *again["interval"].to_numpy()),
        ),
        (
            "control: visit 0 alone, those rules",
            len(good),
            Estimate(
                float(again["control_accuracy"].sel(control="visit_0")),
                *again["control_interval"].sel(control="visit_0").to_numpy(),
            ),
        ),
        ("learning curve alone, those rules", len(good), told_by(study, curve, members, "good")),
    ]
    lines = [
        "| decoded from | rules | chance | balanced accuracy, 95 % interval |",
        "|---|---|---|---|",
        *(f"| {name} | {n} | {1 / n:.2f} | {found} |" for name, n, found in rows),
    ]
    low, high = guessed(study)
    named = ", ".join(pretty(rule) for rule in good)
    note = (
        f"A decoder that guesses among {len(study.rules)} rules reaches {low:.3f} to {high:.3f} "
        "in 95 of 100 simulations. "
        f"Rules that learn as well as backprop: those whose mean validation accuracy is within "
        f"{100 * AS_GOOD:g} points of that of backprop: {named}."
    )
    return "\n".join(lines) + f"\n\n{note}"


def pairs(study: Study) -> list[tuple[Estimate, str, str]]:
    """Accuracy with which the decoder distinguishes each pair of rules, the hardest first.

    Of the subjects of the two rules, the share to which it gives a higher probability for the right
    one of the two than for the other, whatever it gives to the rest; a tie counts as half.
    """
    probability = study.verdict["probability"]
    found = []
    for one, other in combinations(study.rules, 2):
        counts = np.zeros((2, 2))
        for row, (right, wrong) in enumerate(((one, other), (other, one))):
            mine = probability.isel({SUBJECT: study.of == right})
            margin = mine.sel(predicted_rule=right) - mine.sel(predicted_rule=wrong)
            hits = float((margin > 0).sum() + 0.5 * (margin == 0).sum())
            counts[row, row], counts[row, 1 - row] = hits, len(margin) - hits
        found.append((estimate(counts, 1), one, other))
    return sorted(found, key=lambda each: each[0].value)


def of_pairs(study: Study) -> str:
    """Table of the pairs that are hardest to distinguish."""
    found = pairs(study)
    unsure = sum(not each.is_above(0.5) for each, *_ in found)
    apart = sum(each.low > 0.9 for each, *_ in found)
    lines = [
        "| rules | distinguished, 95 % interval |",
        "|---|---|",
        *(f"| {pretty(a)}, {pretty(b)} | {each} |" for each, a, b in found[:HARDEST]),
    ]
    note = (
        f"The {HARDEST} hardest of {len(found)} pairs; chance is 0.50. In {unsure} of all pairs "
        f"the interval includes chance; in {apart} it lies above 0.90."
    )
    return "\n".join(lines) + f"\n\n{note}"


def main() -> None:
    """Write the figure and the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, help="cohorts at once [all cores]")
    workers = parser.parse_args().workers
    study = opened(workers)
    counts = study.verdict["confusion"].sel(true_rule=study.rules, predicted_rule=study.rules)
    (DOCS / "images" / "many_rules.png").write_bytes(png(confusion.draw(counts), dpi=150))
    text = "\n\n".join([of_rules(study), of_controls(study, workers), of_pairs(study)]) + "\n"
    (DOCS / "science" / "results").mkdir(exist_ok=True)
    (DOCS / "science" / "results" / "many_rules.md").write_text(text, "utf-8")
    print(text)


if __name__ == "__main__":
    main()
