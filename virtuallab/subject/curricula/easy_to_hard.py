"""Easy images first."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated

import jaxtyping as jt
import numpy as np
from annotated_types import Gt, Le

from virtuallab.fields import Fraction, setting
from virtuallab.registry import CURRICULA
from virtuallab.subject.curriculum import Curriculum, Passes, members_of_classes
from virtuallab.subject.task import Images


@CURRICULA.register("easy_to_hard")
@dataclass(frozen=True, kw_only=True)
class EasyToHard(Curriculum):
    r"""Easy images first: the share of images in use grows from the easiest ones to all.

    An image is difficult if it is far from the mean image of its own class and near to that of
    another:

    .. math:: d(x) = \frac{\lVert x - m_c \rVert}{\min_{k \ne c} \lVert x - m_k \rVert}

    with the class c of the image and the mean :math:`m_k` of the pixels over the training images of
    class k. Images are ranked within their class, so that classes stay as frequent as they are. The
    share in use grows linearly with the progress of training. Each image in use comes once, in
    random order, before one comes again; new images are added at the end of such a pass.

    References
    ----------
    Bengio et al. 2009, "Curriculum learning", for easy examples first.
    Hacohen and Weinshall 2019, "On The Power of Curriculum Learning in Training Deep Networks", for
    the growing share of the images and for ranks within classes. The measure of difficulty is ours.
    """

    start: Annotated[float, Gt(0), Le(1)] = setting(
        0.2, doc="Share of the images in use at the start of training."
    )
    complete: Fraction = setting(
        0.5, doc="Share of training after which all images are in use; 0 for the start."
    )
    hardest_first: bool = setting(False, doc="Whether the most difficult images come first.")

    def batches(
        self, images: Images, size: int, steps: int, stream: np.random.Generator
    ) -> Iterator[jt.Int[np.ndarray, " batch"]]:
        """Yield batches of the images that are in use at each step."""
        difficulty = difficulties(images)
        order = -difficulty if self.hardest_first else difficulty
        ranked = [own[np.argsort(order[own], kind="stable")] for own in members_of_classes(images)]
        passes = Passes(stream)
        for step in itertools.count():
            share = self.share(step / steps)
            used = [own[: max(round(len(own) * share), 1)] for own in ranked]
            yield passes.draw(np.concatenate(used), size)

    def share(self, progress: float) -> float:
        """Return the share of the images that are in use.

        Parameters
        ----------
        progress : float
            Share of the training steps that are over.
        """
        if progress >= self.complete:
            return 1.0
        return self.start + (1 - self.start) * progress / self.complete


@lru_cache(maxsize=1)  # all subjects of a cohort learn the same images
def difficulties(images: Images) -> jt.Float[np.ndarray, " image"]:
    """Return the distance to the mean of an image's class over that to the nearest other mean.

    Parameters
    ----------
    images : Images
        Of two classes at least.

    Returns
    -------
    array of float, (image,)
        Read-only.
    """
    pixels = images.stimuli.flatten(1).double().numpy()
    members = members_of_classes(images)
    distances = np.stack(
        [np.linalg.norm(pixels - pixels[own].mean(0), axis=1) for own in members], axis=1
    )
    own_class = np.empty(len(pixels), dtype=np.int64)
    for which, own in enumerate(members):
        own_class[own] = which
    place = np.arange(len(pixels)), own_class
    own_distance = distances[place]
    distances[place] = np.inf
    ratio: np.ndarray = own_distance / np.maximum(distances.min(1), np.finfo(float).tiny)
    ratio.setflags(write=False)
    return ratio
