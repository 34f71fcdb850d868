"""Made-up features in which a rule is, or is not, to be found."""

from __future__ import annotations

import numpy as np
import xarray as xr

RULES = ("adam", "feedback", "sgdm")
LAYERS = {"small": ("conv1", "fc4"), "large": ("conv1", "conv2", "conv3", "fc4")}
DEPTH_GROUP = {"small": (0, 2), "large": (0, 1, 1, 2)}
EVERY_LAYER = ("conv1", "conv2", "conv3", "fc4")
STATISTICS = {
    "weightabs_mean": "weights",
    "weightraw_skew": "weights",
    "actabs_mean": "activity",
    "actraw_norm": "activity",
    "gradavgabs_id": "activity_change",
}
CHANGES = {
    "weight_step": "weights",
    "act_step": "activity",
    "act_cosine_start": "activity",
    "gradavgabs_id_logratio": "activity_change",
}
VISITS = 5


def words(values: object) -> np.ndarray:
    return np.array(list(values), dtype=object)  # type: ignore[call-overload]


def features(
    *,
    each: int = 12,
    signal: float = 0.0,
    first_visit: float = 0.0,
    twins: float = 0.0,
    seed: int = 0,
) -> xr.Dataset:
    """Features of ``each`` subjects a rule and architecture.

    Parameters
    ----------
    signal : float
        How far rules differ in their changes, in standard deviations.
    first_visit : float
        How far rules differ before learning: a leak.
    twins : float
        How alike the layers of one subject are, while subjects say nothing of their rule.
    """
    stream = np.random.default_rng(seed)
    rules = [rule for rule in RULES for _ in LAYERS for _ in range(each)]
    makes = [make for _ in RULES for make in LAYERS for _ in range(each)]
    count, number = len(rules), np.array([RULES.index(rule) for rule in rules])
    stat = stream.standard_normal((count, VISITS, len(EVERY_LAYER), len(STATISTICS)))
    stat += twins * stream.standard_normal((count, 1, 1, len(STATISTICS)))
    # Scale gives the architecture away, and has nothing to do with the rule.
    stat[np.array(makes) == "large"] += 30
    stat[:, 0] += first_visit * number[:, None, None]
    change = stream.standard_normal((count, VISITS, len(EVERY_LAYER), len(CHANGES)))
    change += signal * number[:, None, None, None] * np.linspace(0, 1, VISITS)[:, None, None]
    change[:, 0] = 0
    group = np.full((count, len(EVERY_LAYER)), -1, dtype=np.int8)
    for row, make in enumerate(makes):
        for index, layer in enumerate(LAYERS[make]):
            group[row, EVERY_LAYER.index(layer)] = DEPTH_GROUP[make][index]
    stat[np.broadcast_to((group < 0)[:, None, :, None], stat.shape)] = np.nan
    change[np.broadcast_to((group < 0)[:, None, :, None], change.shape)] = np.nan
    return xr.Dataset(
        {
            "stat": (("subject", "visit", "layer", "statistic"), stat),
            "change": (("subject", "visit", "layer", "change_name"), change),
        },
        coords={
            "subject": words(f"sub-{index:04d}" for index in range(count)),
            "rule": ("subject", words(rules)),
            "architecture": ("subject", words(makes)),
            "visit": np.arange(VISITS),
            "layer": words(EVERY_LAYER),
            "statistic": words(STATISTICS),
            "statistic_observable": ("statistic", words(STATISTICS.values())),
            "change_name": words(CHANGES),
            "change_observable": ("change_name", words(CHANGES.values())),
            "depth_group": (("subject", "layer"), group),
        },
    )


def with_theory(dataset: xr.Dataset, signal: float = 0.0, seed: int = 5) -> xr.Dataset:
    """Features with two more changes, which theory predicts and by which rules may differ."""
    number = np.array([RULES.index(rule) for rule in dataset["rule"].values.tolist()])
    values = np.random.default_rng(seed).standard_normal((*dataset["change"].shape[:3], 2))
    values += signal * number[:, None, None, None]
    values[:, 0] = 0
    owners = {**CHANGES, "theory_weight_slope_last": "theory", "theory_act_null_share": "theory"}
    joined = np.concatenate([dataset["change"].values, values], axis=3)
    return (
        dataset.drop_dims("change_name")
        .assign(
            {"change": (("subject", "visit", "layer", "change_name"), joined)},
        )
        .assign_coords(
            change_name=words(owners), change_observable=("change_name", words(owners.values()))
        )
    )
