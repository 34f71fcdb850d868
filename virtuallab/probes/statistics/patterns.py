"""Stacks of patterns, such as the movements of a layer, and their overlaps.

Every overlap is a cosine, so it needs the product of each pattern with itself, and one pattern
takes part in several overlaps. Products of a pattern with itself are computed once.
"""

from __future__ import annotations

from functools import cached_property

import jaxtyping as jt
import numpy as np

from virtuallab.probes.statistics.inner_products import Pattern

PerPattern = jt.Float[np.ndarray, " _"]


class Patterns:
    """Patterns (pattern, stimulus, unit), with their products with themselves.

    Parameters
    ----------
    values : array, (pattern, stimulus, unit)
        In double precision.
    """

    def __init__(self, values: Pattern) -> None:
        self.values = values

    def __getitem__(self, part: slice) -> Patterns:
        """Some of the patterns, with the products that are computed already."""
        found = Patterns(self.values[part])
        # Of another order in memory, a part may be summed in another order than the whole.
        if self.values.flags.c_contiguous:
            for name, product in vars(self).items():
                if name != "values":
                    vars(found)[name] = product[part]
        return found

    @cached_property
    def similarity(self) -> jt.Float[np.ndarray, "_ stimulus stimulus"]:
        """Inner products between stimuli."""
        return np.asarray(np.matmul(self.values, self.values.transpose(0, 2, 1)))

    @cached_property
    def power(self) -> PerPattern:
        """Sum of the squares of each pattern."""
        return np.asarray((self.values**2).sum((1, 2)))

    @cached_property
    def energy(self) -> jt.Float[np.ndarray, "_ unit"]:
        """Sum of the squares of each unit."""
        return np.asarray(np.einsum("vsu,vsu->vu", self.values, self.values))

    @cached_property
    def _own_product_over_units(self) -> PerPattern:
        return self._product_over_units(self)

    @cached_property
    def _own_product_over_stimuli(self) -> PerPattern:
        return self._product_over_stimuli(self)

    def _product_over_units(self, other: Patterns) -> PerPattern:
        """Product of two covariances over units, without the part that any two patterns share."""
        if other is self:
            across = self.similarity
        else:
            across = np.matmul(self.values, other.values.transpose(0, 2, 1))
        alike = self.power * other.power / self.values.shape[2]
        return np.asarray(np.einsum("vst,vst->v", across, across) - alike)

    def _product_over_stimuli(self, other: Patterns) -> PerPattern:
        """Product of two similarities between stimuli, without what each unit shares with itself.

        It is a sum over pairs of different units, of which a sample of units has its share.
        """
        energy = self.energy
        if other is not self:
            energy = np.einsum("vsu,vsu->vu", self.values, other.values)
        product = np.einsum("vst,vst->v", self.similarity, other.similarity)
        return np.asarray(product - (energy**2).sum(1))

    def overlap_of_units(self, other: Patterns) -> PerPattern:
        """Overlap with the subspaces of units of other patterns: 1 if they are the same.

        Parameters
        ----------
        other : Patterns
            As many, or one.
        """
        size = self._own_product_over_units * other._own_product_over_units
        return np.asarray(self._product_over_units(other) / np.sqrt(size))

    def overlap_of_stimuli(self, other: Patterns) -> PerPattern:
        """Overlap with the similarities between stimuli of as many other patterns.

        This is linear centred kernel alignment without what each unit shares with itself.
        """
        size = self._own_product_over_stimuli * other._own_product_over_stimuli
        return np.asarray(self._product_over_stimuli(other) / np.sqrt(size))

    def log_dimension(self) -> PerPattern:
        """Log of the participation ratio over stimuli, of pairs of units."""
        pairs = self.energy.sum(1) ** 2 - np.vecdot(self.energy, self.energy)
        return np.asarray(np.log(pairs / self._own_product_over_stimuli))
