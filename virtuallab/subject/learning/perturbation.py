"""Forward pass with noise, for rules that correlate noise with the change of the loss."""

from __future__ import annotations

import torch

from virtuallab.subject.network.layer import PopulationLayer
from virtuallab.subject.network.network import Network
from virtuallab.subject.network.pathways import NoisePerturbed
from virtuallab.subject.network.signals import scale_samples


class PerturbedPass:
    """Forward pass with noise in the linear response of every neuron.

    Attributes
    ----------
    scores : Tensor, (batch, subject, class)
    noise : dict from PopulationLayer to Tensor
        In units of its standard deviation.
    """

    def __init__(
        self, network: Network, noise_std: float | torch.Tensor, stimuli: torch.Tensor
    ) -> None:
        self.network = network
        noise: dict[PopulationLayer, torch.Tensor] = {}

        def draw(layer: PopulationLayer, z: torch.Tensor) -> torch.Tensor:
            # Without `self`, to avoid a reference cycle that waits for the garbage collector.
            noise[layer] = network.noise_like(z)
            return network.scale(noise_std, noise[layer])

        self.noise = noise
        self._pathway = NoisePerturbed(draw)
        with network.using(self._pathway):
            self.scores = network.scores(stimuli)

    def correlate(self, weights: torch.Tensor) -> list[torch.Tensor]:
        """Sum over samples of weight ``(batch, subject)`` times noise times input.

        One tensor for each of the network's parameters; zeros for those of normalisations.
        """
        network = self.network
        steps = network.zero_updates()
        for layer, trace in self._pathway.traces.items():
            signal = scale_samples(weights, self.noise[layer])
            weight_step = trace.synapse.correlate(trace.pre, signal, layer.weight)
            steps[network.index_of(layer.weight)] = weight_step
            if layer.bias is not None:
                bias_step = trace.synapse.sum_batch(signal, network.subjects)
                steps[network.index_of(layer.bias)] = bias_step
        return steps
