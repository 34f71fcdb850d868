"""Small convolutional network over visits."""

from __future__ import annotations

from typing import Any

import numpy as np

from virtuallab.decoder.classifier import Classifier, Grid, GridName
from virtuallab.decoder.features.samples import Samples
from virtuallab.registry import CLASSIFIERS


@CLASSIFIERS.register("conv1d_mlp")
class Conv1dMLP(Classifier):
    """Small convolutional network over visits, on standardised features.

    References
    ----------
    Nayebi et al. 2020, "Identifying Learning Rules From Neural Network Observables", section 4.
    """

    cost = (0.2, 2e-6)

    def estimator(self, samples: Samples, seed: int) -> Any:
        """Pipeline that standardises, and a network that convolves over visits."""
        from virtuallab.decoder.estimators.conv1d_network import Conv1dNetwork

        network = Conv1dNetwork(
            visits=samples.visits, context=samples.context, random_state=seed % 2**31
        )
        return self.pipeline(samples, network, scaled=True)

    def grid(self, name: GridName, samples: Samples) -> Grid:
        """Kernel, filters, stride, pooling, learning rate, batch size, weight decay.

        The published grid has 720 settings for 21 visits.
        """
        settings: list[dict[str, Any]]
        if name == "strict":
            settings = [{"kernel": 3, "filters": 20, "pool": "avg", "epochs": 150, "batch": 64}]
        elif name == "quick":
            settings = [{"kernel": k, "filters": 20, "epochs": 100, "batch": 512} for k in (2, 6)]
        else:
            settings = self._published(samples.visits)
        return [{f"classify__{key}": value for key, value in each.items()} for each in settings]

    @staticmethod
    def _published(visits: int) -> list[dict[str, Any]]:
        shares = (0.003, 0.007, 0.05, 0.25, 0.5, 1)
        kernels = sorted({int(np.ceil(visits * share)) for share in shares})
        return [
            {
                "kernel": kernel,
                "filters": filters,
                "stride": stride,
                "pool": pool,
                "learning_rate": rate,
                "batch": batch,
                "weight_decay": decay,
            }
            for kernel in kernels
            for filters in (20, 40)
            for stride in (1, 2, 4)
            for pool in ("none", "max", "avg")
            for rate in (1e-3, 1e-4)
            for batch in (512, 1024)
            for decay in (1e-4, 0.0)
        ]
