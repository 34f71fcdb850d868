"""Reward-modulated Hebbian learning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch

from virtuallab.fields import Count, Fraction, Momentum, PositiveFloat, setting
from virtuallab.registry import RULES
from virtuallab.subject.learning.locality import ErrorReturn, Need, Objective
from virtuallab.subject.learning.perturbation import PerturbedPass
from virtuallab.subject.network.network import Network
from virtuallab.subject.rule import GradientAngle, Rule, Updates
from virtuallab.vocabulary import CROSS_ENTROPY


@RULES.register("reward_modulated_hebbian")
@dataclass(frozen=True, kw_only=True)
class RewardModulatedHebbian(Rule):
    r"""Reward-modulated Hebbian learning: three factors, an eligibility trace and a baseline.

    An image is shown for several moments, each with new noise in every neuron. A synapse keeps a
    trace of input times its neuron's noise. A reward at the end, less a running average of the
    reward, multiplies the trace:

    .. math:: E \leftarrow \lambda E + x\,\xi, \qquad
              \Delta W \propto \tfrac1\sigma (r - \bar r)\,E, \qquad
              \bar r \leftarrow (1 - \kappa)\,\bar r + \kappa\, \langle r \rangle

    The rewarded scores are the average over the moments, weighted as in the trace. Unlike node
    perturbation, it has no undisturbed pass as a baseline, and therefore a larger variance. The
    log-likelihood is the negative loss; for the squared error, it is that of a Gaussian around the
    scores, up to a constant.

    References
    ----------
    Frémaux and Gerstner 2016, "Neuromodulated Spike-Timing-Dependent Plasticity, and Theory of
    Three-Factor Learning Rules".
    """

    needs = (Need.INPUT, Need.NEURON_NOISE, Need.IMAGE_REWARD)
    gradient_angle = GradientAngle(initial=(83.0, 90.0))
    error_return = ErrorReturn.BROADCAST
    objective = Objective.REWARD
    needs_classes = True

    noise_std: PositiveFloat = setting(
        0.1,
        unit="units of the linear response",
        doc="Standard deviation of the noise in each neuron's linear response.",
    )
    moments: Count = setting(2, unit="presentations", doc="Moments an image is shown.")
    trace: Momentum = setting(0.5, doc="Share of the trace that lasts to the next moment.")
    reward: Literal["log_likelihood", "correct"] = setting(
        "log_likelihood",
        doc="Reward: the log-likelihood of the label, or 1 for a correct response.",
    )
    baseline_rate: Fraction = setting(
        0.05, doc="Share of the expected reward that is replaced at each step."
    )

    def loss_incompatibility(self, loss: str) -> str | None:
        """Refuse other losses where correct responses are rewarded, which depend on no loss."""
        if loss == CROSS_ENTROPY or self.reward != "correct":
            return None
        return (
            f"rule {self.name!r} with 'reward: correct' does not use the loss, so {loss} would "
            "change nothing. Use 'reward: log_likelihood', or 'loss: cross_entropy'."
        )

    def compute_updates(
        self, network: Network, stimuli: torch.Tensor, labels: torch.Tensor, step: int
    ) -> Updates:
        """Steps from the traces of all moments, times the reward."""
        with torch.no_grad():
            trace = torch.as_tensor(self.trace, dtype=stimuli.dtype)
            trials = [PerturbedPass(network, self.noise_std, stimuli)]
            with network.frozen_running_averages():  # running averages count an image once
                for _ in range(1, self.moments):
                    trials.append(PerturbedPass(network, self.noise_std, stimuli))
            lasting = [trace ** (self.moments - 1 - moment) for moment in range(self.moments)]
            shares = torch.stack(lasting) / sum(lasting)
            answers = torch.stack([trial.scores for trial in trials])
            answer = (answers * shares.view(self.moments, 1, -1, 1)).sum(0)
            losses = network.losses(answer, labels)
            right = (answer.argmax(2) == labels).to(losses.dtype)
            reward = -losses if self.reward == "log_likelihood" else right
            mean = reward.mean(0)
            expected = network.memory.setdefault("expected reward", mean.clone())
            modulator = -(reward - expected) / self.noise_std / len(stimuli)
            expected += self.baseline_rate * (mean - expected)
            steps = network.zero_updates()
            for trial, weight in zip(trials, lasting, strict=True):
                for kept, step_of in zip(steps, trial.correlate(modulator * weight), strict=True):
                    kept += step_of
            return Updates(losses.mean(0), steps)
