"""Baselines: predictions that the package's own scoring compares with the hidden labels.

They read the files of the set alone, as the decoder of any other laboratory does.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pandas as pd
import xarray as xr

import virtuallab as vl
from virtuallab.decoder.decoder import Decoder

CLASSIFIERS: Final = ("logistic_regression", "kernel_svm", "random_forest")
LABELS: Final = "labels.csv"
TRAINING, TEST = "training_features.csv", "test_features.csv"
_NOT_FEATURES: Final = ("subject", "kind", "rule", "pair", "batch_size", "model_seed", "data_seed")


def write_baselines(folder: Path, inner_folds: int) -> None:
    """Write the predictions of each baseline, and the tables of their scores.

    Parameters
    ----------
    folder : Path
        The set, with features and labels.
    inner_folds : int
        By which settings of classifiers are chosen.
    """
    training, test = (pd.read_csv(folder / name) for name in (TRAINING, TEST))
    (folder / "predictions").mkdir(exist_ok=True)
    rows = []
    for name, table in _predictions(training, test, inner_folds):
        file = folder / "predictions" / f"{name}.csv"
        table.to_csv(file, index=False, float_format="%.6f", lineterminator="\n")
        rows.append({"baseline": name, **_scores(vl.score(file, folder / LABELS))})
    scores = pd.DataFrame(rows)
    scores.to_csv(folder / "baselines.csv", index=False, float_format="%.4f", lineterminator="\n")
    (folder / "baselines.md").write_text(_markdown(scores), encoding="utf-8")


def _predictions(
    training: pd.DataFrame, test: pd.DataFrame, inner_folds: int
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the name and the table of each baseline."""
    rules = sorted(set(training["rule"]))
    share = training["rule"].value_counts(normalize=True)
    constant = {
        "uniform": {rule: 1 / len(rules) for rule in rules},
        "label_prior": {rule: float(share[rule]) for rule in rules},
    }
    for name, probability in constant.items():
        yield name, test[["subject"]].assign(**probability)
    columns = [name for name in training if name not in _NOT_FEATURES]
    pairs = training["pair"].to_numpy() if "pair" in training else None
    for name in CLASSIFIERS:
        decoder = Decoder(name, inner_folds=inner_folds)
        decoder.fit(training[columns].to_numpy(), training["rule"].to_numpy(), groups=pairs)
        found = decoder.predict(test[columns].to_numpy()).probability
        table = pd.DataFrame(
            found.transpose("subject", "rule").to_numpy(), columns=found["rule"].values.tolist()
        )
        table.insert(0, "subject", test["subject"].to_numpy())
        yield name, table[["subject", *rules]]


def _scores(found: xr.Dataset) -> dict[str, float | str]:
    low, high = (float(bound) for bound in found["interval"])
    scores: dict[str, float | str] = {
        "balanced_accuracy": float(found["balanced_accuracy"]),
        "low": low,
        "high": high,
        "log_loss": float(found["log_loss"]),
        "brier": float(found["brier"]),
        "calibration_error": float(found["calibration_error"]),
    }
    lowest = found.isel(kind=0)
    return scores | {
        "worst_kind": str(lowest["kind"].item()),
        "worst_kind_accuracy": float(lowest["kind_accuracy"]),
    }


def _markdown(scores: pd.DataFrame) -> str:
    header = [
        "baseline",
        "balanced accuracy (95 % interval)",
        "log loss (nat)",
        "Brier score",
        "calibration error",
        "worst kind",
    ]
    lines = [header, ["---"] * len(header)]
    for row in scores.to_dict("records"):
        lines.append(
            [
                str(row["baseline"]),
                f"{row['balanced_accuracy']:.3f} ({row['low']:.3f} to {row['high']:.3f})",
                *(f"{row[name]:.3f}" for name in ("log_loss", "brier", "calibration_error")),
                f"{row['worst_kind']} ({row['worst_kind_accuracy']:.3f})",
            ]
        )
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"
