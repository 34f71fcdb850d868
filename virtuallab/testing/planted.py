"""Synthetic features of a probe, with a given difference between rules."""

from __future__ import annotations

import numpy as np
import xarray as xr

from virtuallab.decoder.analysis import Analysis
from virtuallab.decoder.features.samples import by_subject
from virtuallab.decoder.task import DecodingTask
from virtuallab.registry import CLASSIFIERS

RULES = ("adam", "backprop", "feedback")
_VISITS, _LAYERS = 4, 3
_CHANGES = {"act_step": "activity", "act_cosine_start": "activity", "act_turn": "activity"}
_STATISTICS = {"actabs_mean": "activity", "actraw_norm": "activity"}


def planted_features(*, each: int, apart: float, seed: int) -> xr.Dataset:
    """Synthetic features of three rules, with ``each`` subjects of a rule.

    At the last visit, neighbouring rules are ``apart`` standard deviations apart. The variables are
    ``stat`` (subject, visit, layer, statistic) and ``change`` (subject, visit, layer, change_name).
    """
    stream = np.random.default_rng(seed)
    number = np.repeat(np.arange(len(RULES)), each)
    shape = (len(number), _VISITS, _LAYERS)
    change = stream.standard_normal((*shape, len(_CHANGES)))
    change += apart * number[:, None, None, None] * np.linspace(0, 1, _VISITS)[:, None, None]
    change[:, 0] = 0
    depth = np.tile(np.arange(_LAYERS), (len(number), 1))
    return xr.Dataset(
        {
            "stat": (
                ("subject", "visit", "layer", "statistic"),
                stream.standard_normal((*shape, len(_STATISTICS))),
            ),
            "change": (("subject", "visit", "layer", "change_name"), change),
        },
        coords={
            "subject": [f"sub-{index:04d}" for index in range(len(number))],
            "rule": ("subject", np.array(RULES, dtype=object)[number]),
            "visit": np.arange(_VISITS),
            "layer": [f"layer{index}" for index in range(_LAYERS)],
            "statistic": list(_STATISTICS),
            "statistic_observable": ("statistic", list(_STATISTICS.values())),
            "change_name": list(_CHANGES),
            "change_observable": ("change_name", list(_CHANGES.values())),
            "depth_group": (("subject", "layer"), depth),
        },
    )


def planted_task(*, each: int, apart: float, seed: int) -> DecodingTask:
    """Decoding task for the rules of :func:`planted_features`, by a linear machine."""
    features = planted_features(each=each, apart=apart, seed=seed)
    stream = np.random.default_rng([seed, 1])
    count = features.sizes["subject"]
    subjects = xr.Dataset(
        {
            "plasticity": features["rule"].drop_vars("rule"),
            "learning_rate": ("subject", 10 ** stream.uniform(-3, -1, count)),
            "batch_size": ("subject", stream.choice([16, 32], count)),
            "steps": ("subject", np.full(count, 100)),
        },
        coords={"subject": features["subject"]},
    )
    performance = xr.DataArray(
        stream.uniform(0.5, 0.9, (count, _VISITS)),
        dims=("subject", "visit"),
        coords={"subject": features["subject"], "visit": features["visit"]},
    )
    return DecodingTask(
        analysis=Analysis(folds=3, inner_folds=2, permutations=2, repeats=1),
        classifier=CLASSIFIERS["linear_svm"](),
        features=features,
        samples=by_subject(features, "activity"),
        observable="activity",
        seed=seed,
        subjects=subjects,
        performance=performance,
        noise=planted_features(each=each, apart=0.0, seed=seed + 1),
    )
