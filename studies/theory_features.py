"""How far does theory alone identify the rule? ``python studies/theory_features.py``.

Trains and records the 120 subjects of protocols/theory_features.yaml, or continues them, and
decodes their rules from the changes that theories of learning predict (observable "theory"), beside
weights, activity and all observables. Exponentiated gradient is the positive control: its updates
multiply the weights, those of the other optimizers add to them, and theory predicts the slopes by
which they differ. Takes about two minutes of processor time, 40 seconds with ``--quick``, which
trains fewer subjects and writes nothing. Writes docs/science/results/theory_features.md.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np
import xarray as xr
from joblib import Parallel, delayed
from sklearn.metrics import roc_auc_score

import virtuallab as vl
from virtuallab.decoder.features.columns import DEPTHS
from virtuallab.decoder.features.samples import Samples, by_subject
from virtuallab.decoder.schemes.cross_validation import cross_validate
from virtuallab.decoder.uncertainty.intervals import balanced_accuracy, interval
from virtuallab.installed import begin_process
from virtuallab.lab.stages.decode import recorded_features
from virtuallab.probes.statistics.features import theory_names
from virtuallab.registry import CLASSIFIERS
from virtuallab.reporting.style import pretty
from virtuallab.store import Store
from virtuallab.vocabulary import RULE, SUBJECT

ROOT = Path(__file__).parent.parent
RESULT = ROOT / "docs" / "science" / "results" / "theory_features.md"
PROTOCOL = Path("protocols/theory_features.yaml")
MULTIPLIES = "exponentiated_gradient"
QUICKSTART = ("sgdm", "adam", "feedback_alignment", "information_alignment")
QUESTIONS = {
    "SGD, Adam, exponentiated gradient": ("sgdm", "adam", MULTIPLIES),
    "the four rules of the quickstart": QUICKSTART,
    "these and exponentiated gradient": (*QUICKSTART, MULTIPLIES),
}
OBSERVABLES = ("theory", "weights", "activity", "all")
PARTS = {"theory of weights": "theory_weight_", "theory of activity": "theory_act_"}
PROBES = ("units_200", "units_200_noisy")
FOLDS, INNER, SEED = 5, 3, 0


def decoded(samples: Samples, repeats: int) -> np.ndarray:
    """Confusion matrix of the strict scheme."""
    return cross_validate(
        CLASSIFIERS["kernel_svm"](),
        samples,
        sorted(set(samples.labels.tolist())),
        folds=FOLDS,
        inner_folds=INNER,
        seed=SEED,
        repeats=repeats,
    ).confusion


def part_of(samples: Samples, prefix: str) -> Samples:
    """Samples of theory with the columns of one observable only."""
    mine = [name.startswith(prefix) for name in theory_names()]
    # Columns are ordered by depth, by statistic and then by stage.
    keep = np.repeat(np.tile(mine, len(DEPTHS)), samples.visits)
    assert len(keep) == samples.values.shape[1]
    return Samples(samples.values[:, keep], samples.labels, samples.owners, samples.visits)


def tasks(features: xr.Dataset) -> dict[tuple[str, str], Samples]:
    """Samples of each question and source, and of theory with permuted labels."""
    found: dict[tuple[str, str], Samples] = {}
    for question, rules in QUESTIONS.items():
        some = features.isel({SUBJECT: np.isin(features[RULE].values.astype(str), rules)})
        for observable in OBSERVABLES:
            found[question, observable] = by_subject(some, observable)
        theory = found[question, "theory"]
        for name, prefix in PARTS.items():
            found[question, name] = part_of(theory, prefix)
        order = np.random.default_rng(SEED).permutation(theory.labels)
        found[question, "theory, labels permuted"] = Samples(
            theory.values, order, theory.owners, theory.visits
        )
    return found


def accuracies(by_probe: dict[str, xr.Dataset], repeats: int, workers: int) -> list[str]:
    """Table of balanced accuracies."""
    asked = {
        (probe, *key): samples
        for probe, features in by_probe.items()
        for key, samples in tasks(features).items()
    }
    pool = Parallel(n_jobs=workers, initializer=begin_process)
    confusions = dict(
        zip(asked, pool(delayed(decoded)(each, repeats) for each in asked.values()), strict=True)
    )
    sources = list(dict.fromkeys(source for _, _, source in asked))
    lines = [
        "| rules | probe | " + " | ".join(map(pretty, sources)) + " |",
        "| --- | --- |" + " --- |" * len(sources),
    ]
    for question, rules in QUESTIONS.items():
        for probe in by_probe:
            cells = []
            for source in sources:
                confusion = confusions[probe, question, source]
                low, high = interval(confusion, 0.95, repeats=repeats)
                cells.append(f"{balanced_accuracy(confusion):.2f} ({low:.2f} to {high:.2f})")
            name = f"{question} (chance {1 / len(rules):.2f})"
            lines.append(f"| {name} | {pretty(probe)} | " + " | ".join(cells) + " |")
    return lines


def separation(features: xr.Dataset) -> list[str]:
    """Table of each change by rule: mean and deviation over subjects, and area under the ROC."""
    rules = (*QUESTIONS["these and exponentiated gradient"],)
    labels = features[RULE].values.astype(str)
    change = features["change"].isel(visit=slice(1, None)).mean(("visit", "layer"))
    lines = [
        "| change | " + " | ".join(map(pretty, rules)) + " | AUROC |",
        "| --- |" + " --- |" * (len(rules) + 1),
    ]
    for name in theory_names():
        values = change.sel(change_name=name).to_numpy()
        cells = [
            f"{values[labels == rule].mean():.2f} ({values[labels == rule].std(ddof=1):.2f})"
            for rule in rules
        ]
        pair = np.isin(labels, ("sgdm", MULTIPLIES)) & np.isfinite(values)
        area = roc_auc_score(labels[pair] == MULTIPLIES, values[pair])
        lines.append(f"| `{name}` | " + " | ".join(cells) + f" | {area:.2f} |")
    return lines


def main() -> None:
    """Train, record, decode, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few subjects, results not written")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    os.chdir(ROOT)
    overrides, store, repeats = [], Path("runs/theory_features.zarr"), 3
    if options.quick:
        overrides = ["subjects.replicates=8", "subjects.epochs=4", "subjects.visits=5"]
        store, repeats = Path("runs/theory_features_quick.zarr"), 1
    vl.run(PROTOCOL, overrides, store=store, workers=options.workers, verbose=True)
    by_probe = {name: recorded_features(Store.open(store), name).load() for name in PROBES}
    count = by_probe[PROBES[0]].sizes[SUBJECT]
    lines = [
        f"Balanced accuracy (95 % interval) by kernel SVM, {count} subjects, strict scheme, mean "
        f"over {repeats} draws of the folds.",
        "",
        *accuracies(by_probe, repeats, options.workers),
        "",
        "Mean over layers and visits of each change from `units_200`: mean (standard deviation) "
        "over subjects. AUROC: area under the curve by which the change separates exponentiated "
        "gradient from SGD (0.5: not at all; 0 or 1: completely).",
        "",
        *separation(by_probe["units_200"]),
    ]
    print("\n".join(lines))
    if not options.quick:
        RESULT.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
