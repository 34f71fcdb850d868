"""Rules that try noise and keep what helped: the pieces they share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from virtuallab.subject.network.pathways import Explored

if TYPE_CHECKING:
    from virtuallab.subject.network.network import Network
    from virtuallab.subject.network.population import PopulationLayer


class Trial:
    """One pass in which every neuron's linear response is disturbed.

    Parameters
    ----------
    network : Network
    noise_std : float or Tensor
        Standard deviation of the disturbance.
    stimuli : Tensor, (batch, subject*channel, height, width)

    Attributes
    ----------
    scores : Tensor, (batch, subject, class)
    noise : dict from layer to Tensor
        The disturbances in units of their standard deviation.
    """

    def __init__(
        self, network: Network, noise_std: float | torch.Tensor, stimuli: torch.Tensor
    ) -> None:
        self.network = network
        noise: dict[PopulationLayer, torch.Tensor] = {}

        def disturb(layer: PopulationLayer, z: torch.Tensor) -> torch.Tensor:
            noise[layer] = network.noise_like(z)
            return network.scaled(noise_std, noise[layer])

        self.noise = noise
        self._explored = Explored(disturb)
        with network.wired(self._explored):
            self.scores = network.scores(stimuli)

    def credit(self, weights: torch.Tensor) -> list[torch.Tensor]:
        """Sum over samples of a number ``(batch, subject)`` times noise times input.

        Returns
        -------
        list of Tensor
            One for each of the network's parameters; normalisations receive nothing.
        """
        steps = self.network.nothing()
        for layer, tape in self._explored.tapes.items():
            signal = self.network.weigh_samples(self.noise[layer], weights)
            place = self.network.place(layer.weight)
            steps[place] = tape.synapse.correlate(tape.pre, signal, layer.weight)
            if layer.bias is not None:
                collected = tape.synapse.collect(signal, self.network.subjects)
                steps[self.network.place(layer.bias)] = collected
        return steps
