"""Made-up changes in which a rule shows in one statistic, at one time and one depth."""

from __future__ import annotations

import numpy as np
import xarray as xr

from tests.decoder.synthetic import words

RULES = ("adam", "feedback", "sgdm")
CHANGES = {
    "weight_step": "weights",
    "actabs_mean_increment": "activity",
    "act_cosine_start": "activity",
    "act_step": "activity",
    "act_tuned_step": "activity",
    "act_class_step": "activity",
    "act_silent": "activity",
}
VISITS = 10


def features(
    *,
    each: int = 30,
    signal: float = 1.0,
    carriers: tuple[str, ...] = ("act_step",),
    visits: slice = slice(None),
    layers: slice = slice(None),
    seed: int = 0,
) -> xr.Dataset:
    """Noise, and a rule in the carriers at some visits and layers.

    Carriers hold the same numbers: they are clones of one another.
    """
    stream, names = np.random.default_rng(seed), list(CHANGES)
    number = np.repeat(np.arange(len(RULES)), each)
    change = stream.standard_normal((len(number), VISITS, 3, len(names)))
    places = [names.index(name) for name in carriers]
    change[..., places] = change[..., places[:1]]
    shift = np.zeros(change.shape)
    shift[:, visits, layers, places] = signal * (number - 1)[:, None, None, None]
    return xr.Dataset(
        {"change": (("subject", "visit", "layer", "change_name"), change + shift)},
        coords={
            "subject": np.arange(len(number)),
            "rule": ("subject", words(RULES[index] for index in number)),
            "visit": np.arange(VISITS),
            "layer": words(("conv1", "conv2", "fc3")),
            "change_name": words(names),
            "change_observable": ("change_name", words(CHANGES.values())),
            "depth_group": (("subject", "layer"), np.tile(np.arange(3), (len(number), 1))),
        },
    )
