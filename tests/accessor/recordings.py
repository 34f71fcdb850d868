"""Recordings with the axes of real ones and numbers made up from a seed."""

from __future__ import annotations

import numpy as np
import xarray as xr

from virtuallab.vocabulary import describe

LAYERS = ("conv1", "conv2", "fc")
UNITS = {"conv1": 6, "conv2": 4, "fc": 1}
RULES = ("adam", "adam", "feedback_alignment", "sgdm")
ARCHITECTURES = ("knet4", "knet4", "knet4", "knet5")
N_VISITS, N_STIMULI = 4, 12


def recording(*, seed: int = 0) -> xr.Dataset:
    """Four subjects, the last of another architecture; each was shown its own stimuli."""
    rng = np.random.default_rng(seed)
    owners = [layer for layer in LAYERS for _ in range(UNITS[layer])]
    shape = (len(RULES), N_VISITS, N_STIMULI, len(owners))
    activity = rng.normal(size=shape).astype(np.float32) + np.float32(3)
    labels = np.stack([rng.permutation(np.arange(N_STIMULI) % 3) for _ in RULES])
    index = np.stack([np.sort(rng.choice(50, N_STIMULI, replace=False)) for _ in RULES])
    units = np.stack([rng.permutation(40)[: len(owners)] for _ in RULES])
    weights = rng.normal(size=(len(RULES), N_VISITS, 5)).astype(np.float32)
    change = rng.normal(size=(*shape[:3], len(LAYERS))).astype(np.float32)
    for values in (activity, weights, change):
        values[-1] = np.nan
    for values in (labels, index, units):
        values[-1] = 0  # what an unwritten integer reads as
    of_subject = ("subject", "visit", "stimulus")
    made = xr.Dataset(
        {
            "activity": ((*of_subject, "unit"), activity),
            "weights": (("subject", "visit", "synapse"), weights),
            "activity_change": ((*of_subject, "layer"), change),
        },
        {
            "unit_index": (("subject", "unit"), units),
            "stimulus_index": (("subject", "stimulus"), index),
            "stimulus_label": (("subject", "stimulus"), labels),
            "subject": _words([f"sub-{number + 1:04d}" for number in range(len(RULES))]),
            "rule": ("subject", _words(RULES)),
            "architecture": ("subject", _words(ARCHITECTURES)),
            "task": ("subject", _words(["digits"] * len(RULES))),
            "learning_rate": ("subject", np.array([0.1, 0.01, 0.1, 0.1])),
            "visit": np.arange(N_VISITS) * 2,
            "epoch": ("visit", np.arange(N_VISITS) * 1.5),
            "layer": _words(LAYERS),
            "layer_depth": ("layer", np.array([0.0, 1 / 3, 1.0])),
            "n_units": ("layer", np.array(list(UNITS.values()))),
            "unit_layer": ("unit", _words(owners)),
            "synapse_layer": ("synapse", _words(["conv1", "conv1", "conv2", "fc", "fc"])),
        },
        {"probe": "{}"},
    )
    for name, variable in made.variables.items():
        variable.attrs |= describe(str(name))
    return made


def of_layer(one: xr.Dataset, layer: str) -> np.ndarray:
    """Responses of one layer's units, in double precision, the axes as they are."""
    members = np.flatnonzero([owner == layer for owner in one["unit_layer"].to_numpy()])
    return one["activity"].isel(unit=members).to_numpy().astype(np.float64)


def _words(values: list[str] | tuple[str, ...]) -> np.ndarray:
    return np.array(values, dtype=object)
