"""Convolutional network over visits, as a scikit-learn classifier."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import nn

Pooling = Literal["none", "max", "avg"]


class Conv1dNetwork(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Network of one convolution over visits, ReLU, pooling and a linear read-out.

    Parameters
    ----------
    visits : int
        Visits of a sample; 1 treats all columns as channels of one visit.
    context : int
        Leading columns that are the same at all visits, repeated at each.
    kernel, filters, stride : int
        Of the convolution; a kernel longer than the visits is shortened.
    pool : {"none", "max", "avg"}
        Over visits.
    learning_rate, weight_decay : float
        Of Adam.
    batch : int
        Samples of a step, at most.
    epochs : int
    random_state : int
    """

    def __init__(
        self,
        visits: int = 1,
        context: int = 0,
        kernel: int = 2,
        filters: int = 20,
        stride: int = 1,
        pool: Pooling = "none",
        learning_rate: float = 1e-3,
        weight_decay: float = 1e-4,
        batch: int = 512,
        epochs: int = 400,
        random_state: int = 0,
    ) -> None:
        self.visits = visits
        self.context = context
        self.kernel = kernel
        self.filters = filters
        self.stride = stride
        self.pool = pool
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.batch = batch
        self.epochs = epochs
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> Conv1dNetwork:
        """Train for a fixed number of epochs; the last, incomplete batch of each is left out."""
        values, labels = validate_data(self, X, y, dtype=np.float32)
        check_classification_targets(labels)
        self.classes_, targets = np.unique(labels, return_inverse=True)
        series = self._series(values)
        generator = torch.Generator().manual_seed(self.random_state)
        network = self._build(series.shape[1], series.shape[2], generator)
        optimizer = torch.optim.Adam(
            network.parameters(), self.learning_rate, weight_decay=self.weight_decay
        )
        wanted, size = torch.from_numpy(targets), min(self.batch, len(series))
        for _ in range(self.epochs):
            order = torch.randperm(len(series), generator=generator)
            for first in range(0, len(order) - size + 1, size):
                chosen = order[first : first + size]
                loss = nn.functional.cross_entropy(network(series[chosen]), wanted[chosen])
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
        # Plain arrays, since a saved decoder may not contain objects of torch.
        self.weights_ = {name: array.numpy() for name, array in network.state_dict().items()}
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Softmax of the read-out, in double precision.

        In single precision the last digits depend on the number of samples.
        """
        check_is_fitted(self)
        series = self._series(validate_data(self, X, reset=False, dtype=np.float32))
        network = self._build(series.shape[1], series.shape[2], torch.Generator())
        network.load_state_dict({k: torch.from_numpy(v) for k, v in self.weights_.items()})
        with torch.no_grad():
            found: np.ndarray = network.double()(series.double()).softmax(1).numpy()
        return found

    def predict(self, X: Any) -> np.ndarray:
        """Class with the highest score."""
        scores = self.predict_proba(X)
        chosen: np.ndarray = self.classes_[scores.argmax(1)]
        return chosen

    def _series(self, values: np.ndarray) -> torch.Tensor:
        """``(sample, channel, visit)``, the context repeated at each visit."""
        context = np.repeat(values[:, : self.context, None], self.visits, axis=2)
        series = values[:, self.context :].reshape(len(values), -1, self.visits)
        return torch.from_numpy(np.concatenate([context, series], axis=1))

    def _build(self, channels: int, visits: int, generator: torch.Generator) -> nn.Module:
        kernel = min(self.kernel, visits)
        length = (visits - kernel) // self.stride + 1
        pooled: dict[str, tuple[nn.Module, int]] = {
            "none": (nn.Identity(), length),
            "max": (nn.AdaptiveMaxPool1d(1), 1),
            "avg": (nn.AdaptiveAvgPool1d(1), 1),
        }
        pool, left = pooled[self.pool]
        # Torch's global random stream is not used, so that other draws do not depend on this one.
        bare: Any = nn.utils.skip_init
        convolution = bare(nn.Conv1d, channels, self.filters, kernel, self.stride)
        readout = bare(nn.Linear, self.filters * left, len(self.classes_))
        for layer in (convolution, readout):
            fan_in, fan_out = nn.init._calculate_fan_in_and_fan_out(layer.weight)
            bound = (6 / (fan_in + fan_out)) ** 0.5  # Glorot's uniform initialiser
            nn.init.uniform_(layer.weight, -bound, bound, generator=generator)
            nn.init.zeros_(layer.bias)
        return nn.Sequential(convolution, nn.ReLU(), pool, nn.Flatten(), readout)
