"""A laboratory of its own: a small network, three ways to learn, a recording as a netCDF file.

Plain torch, and nothing of this package: what is recorded here was made elsewhere.
"""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import torch
import xarray as xr
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn import functional

RULES = ("sgdm", "adam", "feedback_alignment")
STEPS, BATCH = 160, 32
VISITS = (0, 20, 40, 60, 80, 100, 120, 140, 160)
SHOWN, PER_LAYER = 40, 30
RATES = {"sgdm": (0.01, 0.05), "adam": (1e-3, 5e-3), "feedback_alignment": (0.01, 0.05)}


class FixedReturn(torch.autograd.Function):
    """A layer that is used as it is, and whose error returns through other, fixed weights."""

    @staticmethod
    def forward(context, stimuli, weight, bias, fixed):  # type: ignore[no-untyped-def,override]
        context.save_for_backward(stimuli, weight, fixed)
        if weight.ndim == 4:
            return functional.conv2d(stimuli, weight, bias, padding=1)
        return functional.linear(stimuli, weight, bias)

    @staticmethod
    def backward(context, error):  # type: ignore[no-untyped-def,override]
        stimuli, weight, fixed = context.saved_tensors
        if weight.ndim == 4:
            down = nn.grad.conv2d_input(stimuli.shape, fixed, error, padding=1)
            own = nn.grad.conv2d_weight(stimuli, weight.shape, error, padding=1)
            return down, own, error.sum((0, 2, 3)), None
        return error @ fixed, error.T @ stimuli, error.sum(0), None


class Brain(nn.Module):
    """Two convolutions, a hidden and a last dense layer, batch normalisation between them."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, 2 * channels, 3, padding=1)
        self.third = nn.Conv2d(2 * channels, 2 * channels, 3, padding=1)
        self.last = nn.Linear(2 * channels * 4, 10)
        self.norms = nn.ModuleList(nn.BatchNorm2d(n * channels) for n in (1, 2, 2))
        self.fixed: dict[str, Tensor] | None = None

    def responses(self, stimuli: Tensor) -> list[Tensor]:
        """Return what each layer responds, the scores last."""
        seen = []
        for name, norm, is_pooled in zip(
            ("first", "second", "third"), self.norms, (True, True, False), strict=True
        ):
            stimuli = torch.relu(norm(self._layer(name, stimuli)))
            seen.append(stimuli)
            if is_pooled:
                stimuli = functional.max_pool2d(stimuli, 2)
        return [*seen, self._layer("last", stimuli.flatten(1))]

    def _layer(self, name: str, stimuli: Tensor) -> Tensor:
        layer = getattr(self, name)
        if self.fixed is None:
            return layer(stimuli)  # type: ignore[no-any-return]
        return FixedReturn.apply(stimuli, layer.weight, layer.bias, self.fixed[name])  # type: ignore


def record(rule: str, seed: int, file: Path) -> None:
    """Let one network learn digits by a rule, and write what was recorded of it."""
    stream = np.random.default_rng([seed, RULES.index(rule)])
    found = load_digits()
    images = torch.from_numpy((found.images[:, None] / 16).astype(np.float32))
    images, labels = (images - images.mean()) / images.std(), torch.from_numpy(found.target)
    order = stream.permutation(len(labels))
    shown, learned = order[:SHOWN], order[SHOWN : SHOWN + 1200]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(stream.integers(2**31)))
        channels = int(stream.integers(8, 15))
        brain = Brain(channels)
        if rule == "feedback_alignment":
            other = Brain(channels)
            names = ("first", "second", "third", "last")
            brain.fixed = {n: copy.deepcopy(getattr(other, n).weight.detach()) for n in names}
    low, high = RATES[rule]
    rate = float(np.exp(stream.uniform(np.log(low), np.log(high))))
    optimizer = (
        torch.optim.Adam(brain.parameters(), rate)
        if rule == "adam"
        else torch.optim.SGD(brain.parameters(), rate, momentum=0.9)
    )
    seen = [_look(brain, images[shown])]
    for step in range(1, STEPS + 1):
        batch = stream.choice(learned, BATCH, replace=False)
        brain.train()
        loss = functional.cross_entropy(brain.responses(images[batch])[-1], labels[batch])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        if step in VISITS:
            seen.append(_look(brain, images[shown]))
    electrodes = [stream.choice(n, min(n, PER_LAYER), replace=False) for n in map(_width, seen[0])]
    activity = np.stack(
        [np.concatenate([r[:, e] for r, e in zip(s, electrodes, strict=True)], 1) for s in seen]
    )
    areas = [name for name, e in zip("ABCD", electrodes, strict=True) for _ in e]
    xr.Dataset(
        {"activity": (("visit", "stimulus", "unit"), activity)},
        coords={
            "step": ("visit", list(VISITS)),
            "layer": ("unit", areas),
            "stimulus_label": ("stimulus", found.target[shown]),
        },
    ).to_netcdf(file, engine="h5netcdf")


def _look(brain: Brain, stimuli: Tensor) -> list[np.ndarray]:
    brain.eval()
    with torch.no_grad():
        return [each.flatten(1).numpy().copy() for each in brain.responses(stimuli)]


def _width(responses: np.ndarray) -> int:
    return responses.shape[1]
