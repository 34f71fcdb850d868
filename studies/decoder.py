"""How reliable are predictions? ``python studies/decoder.py``, 33 minutes on two cores.

Runs protocols/decoder.yaml, or continues it, and decodes its 768 subjects of four rules with 192 of
others as outliers: accuracy on known and held-out networks and tasks, the contribution of each part
of the decoder, calibration, coverage, detection of unknown rules, all controls, and the published
scheme. From the 320 subjects of protocols/alignment_strength.yaml it estimates strengths of rules.
Writes docs/science/results/decoder_*.md and docs/images/decoder_*.png, shown by
docs/science/reliability.md.
"""

from __future__ import annotations

import argparse
import itertools
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import xarray as xr
from joblib import Parallel, delayed

import virtuallab as vl
from virtuallab.decoder import Analysis
from virtuallab.decoder.evaluation import evaluate
from virtuallab.decoder.features.columns import columns_of
from virtuallab.decoder.features.samples import Samples, by_subject
from virtuallab.decoder.schemes.cross_validation import cross_validate, cross_validate_groups
from virtuallab.decoder.schemes.splits import groups_of
from virtuallab.decoder.uncertainty.intervals import balanced_accuracy, interval
from virtuallab.lab.stages.decode import recorded_features
from virtuallab.protocol import read
from virtuallab.registry import CLASSIFIERS
from virtuallab.reporting.figures.confusion import confusion_figure
from virtuallab.reporting.figures.held_out import held_out_figure
from virtuallab.reporting.figures.importance import importance_of_shown
from virtuallab.reporting.figures.left_out import left_out_figure
from virtuallab.reporting.figures.reliability import reliability_figure
from virtuallab.reporting.render import png
from virtuallab.reporting.results.analyses import analyses
from virtuallab.reporting.results.decoding import AnalysisResult, DecodingResult
from virtuallab.reporting.style import pretty
from virtuallab.store import Store

ROOT = Path(__file__).parent.parent
PROTOCOL, OF_STRENGTHS = Path("protocols/decoder.yaml"), Path("protocols/alignment_strength.yaml")
STORE, PROBE = Path("runs/decoder.zarr"), "units_300"
IMAGES, RESULTS = ROOT / "docs" / "images", ROOT / "docs" / "science" / "results"
FOLDS, INNER, REPEATS, SEED = 5, 3, 5, 0


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return ["| " + " | ".join(line) + " |" for line in lines]


def write(name: str, lines: Sequence[str]) -> None:
    """Write a part of the documentation."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"decoder_{name}.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def accuracy(samples: Samples, classifier: str) -> str:
    """Strict balanced accuracy with its interval."""
    classes = sorted(set(samples.labels.tolist()))
    confusion = cross_validate(
        CLASSIFIERS[classifier](),
        samples,
        classes,
        folds=FOLDS,
        inner_folds=INNER,
        seed=SEED,
        repeats=REPEATS,
    ).confusion
    low, high = interval(confusion, 0.95, repeats=REPEATS)
    return f"{balanced_accuracy(confusion):.2f} ({low:.2f} to {high:.2f})"


def never_seen(samples: Samples, classifier: str, group: np.ndarray) -> str:
    """Mean over groups of the accuracy on each that was held out."""
    classes = sorted(set(samples.labels.tolist()))
    found = cross_validate_groups(
        CLASSIFIERS[classifier](), samples, group, classes, inner_folds=INNER, seed=SEED
    )
    return f"{np.mean([balanced_accuracy(each.confusion) for each in found.values()]):.2f}"


def ablation(features: xr.Dataset, workers: int) -> list[str]:
    """Table of the contribution of each part of the decoder, removed from it or alone."""
    whole = by_subject(features, "activity")
    visits = by_subject(features, "activity", staged=False)
    columns = columns_of(features, "activity")
    moves = np.char.startswith(columns.statistic.astype(str), "act_move")
    across = np.char.find(columns.depth.astype(str), " - ") >= 0

    def only(keep: np.ndarray) -> Samples:
        return Samples(whole.values[:, keep], whole.labels, whole.owners, whole.visits)

    names = features["change_name"].values.astype(str)
    without_moves = features.isel(change_name=~np.char.startswith(names, "act_move"))
    variants: dict[str, tuple[Samples, str]] = {
        "**default** (kernel SVM, stages, last change, depth differences)": (whole, "kernel_svm"),
        "without statistics of the last change": (only(~moves), "kernel_svm"),
        "only statistics of the last change": (only(moves), "kernel_svm"),
        "without differences between depths": (only(~across), "kernel_svm"),
        "single visits instead of stages": (visits, "kernel_svm"),
        "logistic regression instead of kernel SVM": (whole, "logistic_regression"),
        "gradient boosting instead of kernel SVM": (whole, "gradient_boosting"),
        "random forest instead of kernel SVM": (whole, "random_forest"),
        "linear SVM instead of kernel SVM": (whole, "linear_svm"),
        "former default: random forest, single visits, no last change": (
            by_subject(without_moves, "activity", staged=False),
            "random_forest",
        ),
    }
    architecture, task = (groups_of(features, split) for split in ("architecture", "task"))

    def row(name: str, samples: Samples, classifier: str) -> list[str]:
        return [
            name,
            accuracy(samples, classifier),
            never_seen(samples, classifier, architecture),
            never_seen(samples, classifier, task),
        ]

    rows = Parallel(n_jobs=workers)(delayed(row)(name, *how) for name, how in variants.items())
    return table(["decoder", "held-out subjects", "held-out architectures", "held-out tasks"], rows)


def published(features: xr.Dataset, subjects: xr.Dataset, workers: int) -> list[str]:
    """Table of the published scheme, by observable and classifier."""
    classifiers = ("linear_svm", "random_forest", "conv1d_mlp")
    analysis = Analysis(scheme="published", classifiers=classifiers, permutations=1)
    # Without the subjects' settings no control can tell that the optimizer is part of the question.
    verdict = evaluate(features, analysis, SEED, workers=workers, subjects=subjects)
    rows = []
    for observable in map(str, verdict["observable"].values):
        cells = [pretty(observable)]
        for classifier in classifiers:
            one = verdict.sel(observable=observable, classifier=classifier)
            value, flattered = float(one["balanced_accuracy"]), float(one["optimism"])
            low, high = map(float, one["interval"].values)
            cells.append(f"{value:.2f} ± {(high - low) / 2:.2f} ({value - flattered:.2f})")
        rows.append(cells)
    outcomes = verdict["control_passed"]
    told = f"{int((outcomes == 1).sum())} of {int(outcomes.notnull().sum())} controls passed."
    return [*table(["from", *map(pretty, classifiers)], rows), "", told]


def controls(best: DecodingResult) -> list[str]:
    """Table of all controls of the primary result."""
    rows = [
        [
            pretty(control.name),
            control.must_be,
            f"{control.accuracy.value:.2f}" if control.accuracy and control.evaluated else "",
            control.outcome,
            control.note if control.evaluated else "",  # else the outcome has it
        ]
        for control in best.controls.values()
    ]
    return table(["control", "must be", "accuracy", "result", "note"], rows)


def reliability(best: DecodingResult) -> list[str]:
    """Accuracy, calibration, coverage and detection of rules left out of training."""
    assert best.calibration is not None
    assert best.coverage is not None
    lines = [
        f"* **Accuracy** {best.accuracy}, chance {best.chance:.2f}.",
        f"* **Calibration error** {best.calibration.error:.3f}; exact probabilities would have "
        f"{best.calibration.least_error:.3f} with this number of subjects. Brier score "
        f"{best.calibration.brier:.3f}.",
        f"* **Coverage** of {100 * (best.coverage.nominal or 0):g} % prediction sets: "
        f"{100 * best.coverage.share:.1f} %, with {best.coverage.set_size:.2f} rules in a set on "
        "average.",
        f"* **Detection of a rule left out of training**: mean area under the curve "
        f"{np.mean(list(best.left_out.values())):.2f}; "
        + ", ".join(f"{pretty(rule)} {value:.2f}" for rule, value in best.left_out.items())
        + ".",
    ]
    lines += [
        f"* **Held-out {pretty(split)}**: "
        f"{np.mean([each.value for each in groups.values()]):.2f} on average; "
        + ", ".join(f"{name} {estimate}" for name, estimate in groups.items())
        + "."
        for split, groups in best.by_split.items()
    ]
    return lines


def strengths(judged: Mapping[str, AnalysisResult]) -> list[str]:
    """Table of the variance of each metaparameter that is explained, by probe."""
    rows = []
    for subjects, each in judged.items():
        answers = each.dataset.isel(observable=0, classifier=0)
        for probe, rule, name in itertools.product(
            *(map(str, answers[axis].values) for axis in ("probe", "true_rule", "metaparameter"))
        ):
            one = answers.sel(probe=probe, true_rule=rule, metaparameter=name)
            if not np.isfinite(one["explained"]):
                continue
            low, high = map(float, one["explained_interval"].values)
            cells = [
                pretty(rule),
                pretty(name),
                subjects,
                pretty(probe),
                f"{float(one['explained']):.2f} ({low:.2f} to {high:.2f})",
                f"{float(one['typical_factor']):.2f}",
            ]
            rows.append(cells)
    explained = "variance of its logarithm explained"
    return table(
        ["rule", "number", "subjects", "probe", explained, "typical factor of error"], rows
    )


def draw(judged: AnalysisResult) -> None:
    """Draw the figures of the documentation."""
    figures = {
        "reliability": reliability_figure(judged),
        "held_out": held_out_figure(judged),
        "left_out": left_out_figure(judged),
        "confusion": confusion_figure(judged),
        "relevance": importance_of_shown(judged),
    }
    for name, figure in figures.items():
        for number, panel in enumerate(figure.panels if figure else ()):
            suffix = f"_{number + 1}" if figure and len(figure.panels) > 1 else ""
            (IMAGES / f"decoder_{name}{suffix}.png").write_bytes(png(panel.figure))


def main() -> None:
    """Run, decode, draw and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=2)
    workers = parser.parse_args().workers
    os.chdir(ROOT)
    [judged] = analyses(vl.run(PROTOCOL, store=STORE, workers=workers))
    [of_strengths] = analyses(vl.run(OF_STRENGTHS, workers=workers))
    best = judged.shown
    assert best is not None
    draw(judged)
    write("reliability", reliability(best))
    write("controls", controls(best))
    every = {"6 networks, 2 tasks": judged, "1 network, 1 task": of_strengths}
    write("strengths", strengths(every))
    others = set(read(PROTOCOL).analyses[judged.name].others)
    store = Store.open(STORE)
    found = recorded_features(store, PROBE)
    named = found.isel(subject=[str(rule) not in others for rule in found["rule"].values])
    write("ablation", ablation(named, workers))
    write("published", published(named, store.subjects.load(), workers))


if __name__ == "__main__":
    main()
