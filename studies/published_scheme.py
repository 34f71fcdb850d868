"""Effect of a constant learning rate on the published scheme: ``make study-published``.

Runs protocols/published_scheme.yaml twice, unless it was run: with learning rates drawn for each
subject, and with one rate for each optimizer (nine minutes of processor time). The published and
the strict scheme decode the subjects of each. A decoder of the published scheme that was trained at
fixed rates is also tested on subjects with drawn rates. Writes
docs/science/results/published_scheme.md and docs/images/published_scheme.png.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr
from joblib import Parallel, delayed

import virtuallab as vl
from virtuallab import seeds
from virtuallab.decoder.analysis import Analysis
from virtuallab.decoder.classifier import Classifier
from virtuallab.decoder.features.samples import Samples, by_layer
from virtuallab.decoder.schemes.published import classified
from virtuallab.decoder.schemes.random_splits import splits_by_subject
from virtuallab.decoder.uncertainty.intervals import balanced_accuracy, interval
from virtuallab.lab.stages.decode import recorded_features
from virtuallab.registry import CLASSIFIERS
from virtuallab.reporting.figures import accuracy
from virtuallab.reporting.render import png
from virtuallab.reporting.results.estimate import Estimate
from virtuallab.reporting.style import pretty
from virtuallab.store import Store
from virtuallab.vocabulary import OBSERVABLE, PROBE

ROOT = Path(__file__).parent.parent
PROTOCOL, RECORDED = Path("protocols/published_scheme.yaml"), "all_units"
IMAGE = ROOT / "docs" / "images" / "published_scheme.png"
RESULT = ROOT / "docs" / "science" / "results" / "published_scheme.md"
SGD, ADAM = 0.03, 0.002  # rates at which all four rules learn
RATES = {
    "fixed": (
        f"subjects.rules[0].optimizer.learning_rate={SGD}",
        f"subjects.rules[1].optimizer.learning_rate={ADAM}",
        f"subjects.optimizer.learning_rate={SGD}",
    ),
    "drawn": (),
}
OBSERVABLES = ("weights", "activity", "activity_change", "all")
DECODERS = (("published", "linear_svm"), ("published", "random_forest"), ("strict", "kernel_svm"))
SCHEMES = ("published", "strict")
SHOWN = "linear_svm"  # of the two classifiers of the published scheme, that of the figure
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Arm:
    """Features and results of the subjects whose rates are fixed, or drawn."""

    verdicts: xr.DataTree
    features: xr.Dataset

    @property
    def subjects(self) -> dict[str, int]:
        """Number of subjects of each rule, in alphabetical order."""
        names, counts = np.unique(self.features["rule"].values.astype(str), return_counts=True)
        return dict(zip(names.tolist(), counts.tolist(), strict=True))

    def verdict(self, scheme: str) -> xr.Dataset:
        """What an analysis found."""
        return self.verdicts[f"decoding/{scheme}"].to_dataset().sel(probe=RECORDED).load()

    def told(self, scheme: str, observable: str, classifier: str) -> Estimate:
        """Balanced accuracy with an interval over subjects."""
        one = self.verdict(scheme).sel(observable=observable, classifier=classifier)
        if scheme == "strict":
            return Estimate(float(one["balanced_accuracy"]), *map(float, one["interval"].values))
        return of_layers(one["confusion"].values, self.subjects)


def of_layers(counts: np.ndarray, subjects: dict[str, int]) -> Estimate:
    """Balanced accuracy of layers, with the interval of as many answers as there are subjects.

    It is as wide as if all layers of a subject were right or wrong together, and in all splits: the
    interval over splits, which share subjects, would say how much a split matters.

    Parameters
    ----------
    counts : array, (true, predicted)
        Layers, summed over splits; rules in alphabetical order.
    subjects : mapping from rule to int
    """
    weights = np.array(list(subjects.values())) / counts.sum(1)
    return Estimate(
        balanced_accuracy(counts), *interval(counts * weights[:, None], CONFIDENCE, repeats=1)
    )


def less(one: Estimate, other: Estimate) -> tuple[float, float, float]:
    """Difference of the accuracies of other subjects, with an interval made of their intervals.

    References
    ----------
    Newcombe 1998, "Interval Estimation for the Difference Between Independent Proportions",
    method 10. Zou and Donner 2008, "Construction of Confidence Limits about Effect Measures".
    """
    value = one.value - other.value
    down = np.hypot(one.value - one.low, other.high - other.value)
    up = np.hypot(one.high - one.value, other.value - other.low)
    return value, value - float(down), value + float(up)


def carried_out(rates: str, overrides: Sequence[str], workers: int) -> Arm:
    """Run the protocol, or open its store."""
    store = Path("runs") / f"published_scheme_{rates}.zarr"
    if not (store.exists() and f"decoding/{SCHEMES[-1]}" in Store.open(store).nodes()):
        vl.run(PROTOCOL, overrides, store=store, workers=workers)
    return Arm(vl.open(store), recorded_features(Store.open(store), RECORDED))


def elsewhere(trained: Arm, tested: Arm, observable: str, classifier: Classifier) -> Estimate:
    """Accuracy of the published scheme, trained on one arm and tested on the other.

    The random splits keep subjects together, and are as large as within an arm.
    """
    one, other = (by_layer(arm.features, observable) for arm in (trained, tested))
    assert (one.labels == other.labels).all()
    assert (one.owners == other.owners).all()
    both = Samples(
        values=np.concatenate([one.values, other.values]),
        labels=np.concatenate([one.labels, other.labels]),
        owners=np.concatenate([one.owners, other.owners]),
        visits=one.visits,
        context=one.context,
    )
    seed = seeds.integer(int(trained.verdicts.attrs["seed"]), "study", observable)
    splits = splits_by_subject(one, Analysis().splits, seed)
    found = classified(
        classifier,
        both,
        list(tested.subjects),
        ((train, test + len(one.labels)) for train, test in splits),
        "quick",
        seed,
    )
    return of_layers(found.sum(0), tested.subjects)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return ["| " + " | ".join(line) + " |" for line in lines]


def accuracies(arms: dict[str, Arm], chance: float) -> list[str]:
    """Every scheme and observable, with rates fixed and drawn."""
    rows = []
    for scheme, classifier in DECODERS:
        for observable in OBSERVABLES:
            fixed, drawn = (arms[name].told(scheme, observable, classifier) for name in RATES)
            value, low, high = less(fixed, drawn)
            share = value / (fixed.value - chance)
            rows.append(
                [
                    f"{scheme}, {pretty(classifier)}",
                    pretty(observable),
                    str(fixed),
                    str(drawn),
                    f"{value:+.2f} [{low:+.2f}, {high:+.2f}]",
                    f"{100 * share:.0f} %" if low > 0 else "interval includes zero",
                ]
            )
    header = ["scheme", "from", "rates fixed", "rates drawn", "fixed minus drawn"]
    return table([*header, "share of accuracy above chance lost"], rows)


def recalls(arms: dict[str, Arm]) -> list[str]:
    """Share of the layers of each rule that the published scheme identifies from them all."""
    rows = []
    for name, arm in arms.items():
        one = arm.verdict("published").sel(observable="all", classifier=SHOWN)["confusion"].values
        shares = np.diag(one) / one.sum(1)
        rows.append([f"rates {name}", *(f"{share:.2f}" for share in shares)])
    return table(["share identified", *map(pretty, arms["fixed"].subjects)], rows)


def controls(arms: dict[str, Arm]) -> list[str]:
    """How many controls passed, and which did not."""
    asked, failed = 0, []
    for name, arm in arms.items():
        for scheme in SCHEMES:
            outcomes = arm.verdict(scheme)["control_passed"].to_series().dropna()
            asked += len(outcomes)
            for where in outcomes.index[outcomes == 0]:
                of = dict(zip(outcomes.index.names, where, strict=True))
                failed.append(
                    f"*{pretty(of['control'])}* ({scheme} scheme, {pretty(of['observable'])} by "
                    f"{pretty(of['classifier'])}, rates {name})"
                )
    lines = [f"{asked - len(failed)} of {asked} controls passed."]
    return [f"{lines[0]} Not passed: {'; '.join(failed)}."] if failed else lines


def draw(rows: dict[str, dict[str, Estimate]], chance: float) -> None:
    """Draw an accuracy for each row and observable."""
    values = [[each[name].value for name in OBSERVABLES] for each in rows.values()]
    bounds = [[(each[name].low, each[name].high) for name in OBSERVABLES] for each in rows.values()]
    along = {PROBE: list(rows), OBSERVABLE: list(OBSERVABLES)}
    figure = accuracy.draw(
        xr.DataArray(values, along, list(along)),
        xr.DataArray(bounds, {**along, "bound": ["low", "high"]}, (*along, "bound")),
        chance=chance,
        width=6.4,
    )
    IMAGE.write_bytes(png(figure))


def main() -> None:
    """Run, decode, draw and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=2)
    workers = parser.parse_args().workers
    os.chdir(ROOT)
    arms = {name: carried_out(name, overrides, workers) for name, overrides in RATES.items()}
    fixed, drawn = arms["fixed"], arms["drawn"]
    chance = float(fixed.verdict("published").attrs["chance"])
    found = Parallel(n_jobs=workers)(
        delayed(elsewhere)(fixed, drawn, observable, CLASSIFIERS[SHOWN]())
        for observable in OBSERVABLES
    )
    moved: dict[str, Estimate] = dict(zip(OBSERVABLES, found, strict=True))
    shown = {
        f"{scheme}, rates {name}": {
            observable: arm.told(scheme, observable, classifier) for observable in OBSERVABLES
        }
        for scheme, classifier in (("published", SHOWN), ("strict", "kernel_svm"))
        for name, arm in arms.items()
    }
    shown["published, trained at fixed\nand asked at drawn rates"] = moved
    order = sorted(shown, key=lambda name: name.startswith("strict"))
    draw({name: shown[name] for name in order}, chance)
    told = ", ".join(f"{pretty(name)} {each}" for name, each in moved.items())
    counts = " and ".join(f"{sum(arm.subjects.values())} ({name})" for name, arm in arms.items())
    lines = [
        *accuracies(arms, chance),
        "",
        f"Balanced accuracy with 95 % intervals over subjects: {counts}, of "
        f"{len(fixed.subjects)} rules, chance {chance:.2f}.",
        "",
        *recalls(arms),
        "",
        f"From all observables, by the published scheme and a {pretty(SHOWN)}. The same decoder "
        f"trained at fixed rates and tested on subjects with drawn rates: {told}.",
        "",
        *controls(arms),
    ]
    RESULT.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
