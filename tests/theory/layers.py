"""Layers with random weights and inputs, and their curvature as a matrix."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import torch

from studies import theory as study
from virtuallab import theory
from virtuallab.subject.learning.layer_view import LayerView
from virtuallab.subject.learning.primitives import alignment_gradient
from virtuallab.subject.network.synapse import Conv, Dense
from virtuallab.theory import Coefficients

MIXED = Coefficients(decay=0.1, amp=0.3, null=0.2, sparse=0.4, self=0.5)


def dense(seed: int = 0, subjects: int = 1, x_scale: float = 1.0) -> LayerView:
    rng = np.random.default_rng(seed)
    x = x_scale * study.normal(rng, subjects, 50, 6)
    w, b = study.normal(rng, 2, subjects, 4, 6)
    return study.layer_view(Dense(), x, w, b)


def conv(seed: int = 0, subjects: int = 1) -> LayerView:
    rng = np.random.default_rng(seed)
    x = study.normal(rng, 10, subjects * 2, 7, 6).abs()
    w, b = study.normal(rng, 2, subjects, 4, 2, 3, 2)
    return study.layer_view(Conv((2, 1), (1, 1), (1, 1), 1, (7, 6)), x, w, b)


LAYERS = {"dense": dense, "conv": conv}


def matrices(at: LayerView) -> tuple[np.ndarray, np.ndarray]:
    return at.weight[0].numpy(), theory.second_moment(at.pre[0].numpy())


def linear_map(at: LayerView, k: Coefficients) -> np.ndarray:
    """Curvature as a matrix, column by column."""
    eye = torch.eye(at.backward_weight[0].numel(), dtype=torch.float64)
    columns = []
    for unit in (torch.zeros_like(eye[0]), *eye):
        moved = study.layer_view(at.synapse, at.pre, at.weight, unit.view_as(at.backward_weight))
        columns.append(alignment_gradient(moved, asdict(k), mean=False).flatten().numpy())
    return np.stack(columns[1:], 1) - columns[0][:, None]
