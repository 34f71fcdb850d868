"""What an implementation can do, and the list of all."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Protocol, cast

BACKPROP, FEEDBACK_ALIGNMENT = "backprop", "feedback_alignment"
CHECKED = 3  # steps whose losses are compared


class NotPossible(Exception):
    """An implementation cannot train a network; the message says why."""


class Implementation(Protocol):
    """Networks in training, all of one kind."""

    def first_losses(self, steps: int) -> list[float]:
        """Losses of the first subject in its first steps, all on the first images of the task."""

    def prepare(self, steps: int) -> None:
        """Compile what ``steps`` further steps need, if anything."""

    def train(self, steps: int) -> None:
        """Train all networks by so many steps, each on a random batch of its own."""


@dataclass(frozen=True)
class Kind:
    """Where an implementation lies, and what it needs.

    Parameters
    ----------
    module, name : str
        Module in this folder, and class in it. The class takes the name of a network of
        :data:`benchmarks.measuring.nets.NETS`, a rule and the number of subjects.
    environment : str
        Of :data:`benchmarks.implementations.environments.PACKAGES`; empty for that of virtuallab.
    trains_all : bool
        Whether a step is one of all networks at once, and not of one after another.
    """

    module: str
    name: str
    environment: str = ""
    trains_all: bool = True

    def make(self, net: str, rule: str, size: int) -> Implementation:
        """Networks that are ready to be trained."""
        module = importlib.import_module(f"benchmarks.implementations.{self.module}")
        return cast("Implementation", getattr(module, self.name)(net, rule, size))


KINDS = {
    "virtuallab": Kind("virtuallab_cohort", "VirtuallabCohort"),
    "loop of torch modules": Kind("module_loop", "ModuleLoop", trains_all=False),
    "torch.func.vmap": Kind("torch_vmap", "TorchVmap"),
    "loop of BioTorch modules": Kind("biotorch_loop", "BioTorchLoop", "biotorch", False),
    "jax.vmap": Kind("jax_vmap", "JaxVmap", "jax"),
}
