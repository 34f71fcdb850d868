"""Contrastive learning of augmented views."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Annotated, ClassVar

import torch
from annotated_types import Ge

from virtuallab.fields import Count, Fraction, PositiveFloat, setting
from virtuallab.registry import TASKS
from virtuallab.subject.loss import Loss
from virtuallab.subject.losses.nt_xent import NTXent
from virtuallab.subject.task import Images, Measure, Targets
from virtuallab.subject.tasks._augmentation import Augmentation, augmented_views
from virtuallab.subject.tasks._derived import DerivedTask


@TASKS.register("contrastive")
@dataclass(frozen=True, kw_only=True)
class Contrastive(DerivedTask):
    """Self-supervised learning of images: two views of one image get similar scores (SimCLR).

    Views are random crops that are scaled to the image's size, may be mirrored, change in
    brightness and contrast, and are blurred. A bank of views of each image is drawn once. At each
    presentation two of them are drawn, from a stream of each subject. The read-out of the network
    is replaced by a projection head of two dense layers, each with a batch normalisation. Labels
    are not used in learning. The performance is the accuracy of a linear read-out of the input of
    the head.

    References
    ----------
    Chen et al. 2020, "A Simple Framework for Contrastive Learning of Visual Representations".
    """

    targets: ClassVar[Targets] = "views"
    measure: ClassVar[Measure] = "read-out accuracy"
    own_loss: ClassVar[str] = "nt_xent"

    views: Annotated[int, Ge(2)] = setting(
        8, unit="views", doc="Views of each image in the bank; each pair of them is possible."
    )
    smallest_crop: Fraction = setting(
        0.3, doc="Smallest area of a crop, as a fraction of the image."
    )
    mirror: bool = setting(True, doc="Whether half of the views are mirrored, left to right.")
    jitter: Fraction = setting(
        0.4, doc="Largest change of brightness and of contrast, as a fraction."
    )
    blur: bool = setting(True, doc="Whether half of the views are blurred.")
    dimensions: Count = setting(32, unit="scores", doc="Number of scores of an image.")
    temperature: PositiveFloat = setting(0.5, doc="Divisor of the similarities in the loss.")

    @property
    def outputs(self) -> int:
        """Number of scores."""
        return self.dimensions

    def loss(self, name: str) -> Loss:
        """Return the loss with the task's temperature."""
        return NTXent(temperature=self.temperature)

    def head(self, width: int) -> torch.nn.Module:
        """Projection head: dense, batch normalisation, ReLU, dense, batch normalisation.

        The normalisations replace the biases; the last has no offset.
        """
        last = torch.nn.BatchNorm1d(self.dimensions, affine=False)
        return torch.nn.Sequential(
            torch.nn.Linear(width, width, bias=False),
            torch.nn.BatchNorm1d(width),
            torch.nn.ReLU(),
            torch.nn.Linear(width, self.dimensions, bias=False),
            last,
        )

    def part(self, name: str) -> Images:
        """Return the images of a part with views of each, two for validation; none for probes."""
        return self.source.stimuli() if name == "stimuli" else _with_views(self, name)


@cache
def _with_views(task: Contrastive, part: str) -> Images:
    """Training or validation images with their views, drawn once per process."""
    how = Augmentation(task.smallest_crop, task.mirror, task.jitter, task.blur)
    images: Images = getattr(task.source, part)()
    black_and_white = torch.aminmax(task.source.train().stimuli)
    views = task.views if part == "train" else 2
    drawn = augmented_views(images.stimuli, black_and_white, how, views, part)
    return replace(images, views=drawn)
