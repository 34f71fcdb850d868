"""What ``recording.lab`` offers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import xarray as xr

from virtuallab.accessor import layer_measures as by_layer
from virtuallab.accessor import selection as choice
from virtuallab.accessor import stimulus_averages as stimuli
from virtuallab.accessor import zscore as scores
from virtuallab.accessor.selection import Depth
from virtuallab.vocabulary import ACTIVITY, STIMULUS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Pictures need matplotlib and seaborn, a second to import: only who draws waits for them.

Numbers = float | int | Sequence[float | int] | slice
Words = str | Sequence[str]


@xr.register_dataset_accessor("lab")  # type: ignore[no-untyped-call]
class Lab:
    """Explore a recording: choose, average, measure its geometry, draw.

    ``recording.lab`` is there on every dataset once virtuallab has opened a store, or after
    ``import virtuallab.accessor``. It takes the recordings of many subjects, or of one (without the
    axis ``subject``), in memory, on disk or in dask arrays. Values on disk are read a few subjects
    at a time.

    What is not a finite number (a subject that diverged, one of another architecture) counts as
    missing.

    Parameters
    ----------
    recording : xr.Dataset
        ``activity`` with dims ([subject], [visit], stimulus, unit) and the coordinate
        ``unit_layer`` (unit).
    """

    def __init__(self, recording: xr.Dataset) -> None:
        self._recording = recording

    def select(
        self,
        *,
        rule: Words | None = None,
        architecture: Words | None = None,
        task: Words | None = None,
        layer: Words | None = None,
        depth: Depth | None = None,
        visit: Numbers | None = None,
        subject: Words | None = None,
        **labels: Any,
    ) -> xr.Dataset:
        """Keep a part of the recording; every axis stays, also with a single thing on it.

        Parameters
        ----------
        rule, architecture, task, subject : str or list of str, optional
            Names to keep.
        layer : str or list of str, optional
            Layers to keep: of units, synapses and what is measured of whole layers, all at once.
        depth : float or pair of float, optional
            Layers to keep by where they lie, from 0, the first, to 1, the last: those nearest to a
            number, or all from a low to a high one.
        visit : int, list of int or slice, optional
            Visits to keep by number. A slice has both its ends in it.
        **labels
            Any other coordinate of one axis, as ``optimizer="adam"`` or
            ``learning_rate=slice(0.001, 0.01)``.

        Returns
        -------
        xr.Dataset
            Nothing of it is read from disk yet.

        Raises
        ------
        virtuallab.errors.UserError
            If there is no such name, visit, layer or coordinate, or nothing has all of them.
        """
        named = {"rule": rule, "architecture": architecture, "task": task}
        asked = {**named, "subject": subject, "visit": visit, **labels}
        return choice.select(self._recording, layer=layer, depth=depth, labels=asked)

    def zscore(self, name: str = ACTIVITY, over: str | Sequence[str] = (STIMULUS,)) -> xr.DataArray:
        """Subtract the mean and divide by the standard deviation.

        The deviation is that of a population (divided by the count). What is constant scores 0,
        what is missing stays NaN.

        Parameters
        ----------
        name : str, default "activity"
            Variable.
        over : str or list of str, default ("stimulus",)
            Axes over which mean and deviation are taken.

        Returns
        -------
        xr.DataArray
            Dims of the variable, without unit. Dask arrays stay unread.

        Raises
        ------
        virtuallab.errors.UserError
            If there is no such variable or axis.
        """
        return scores.zscore(self._recording, name, over)

    def tuning(self, half: stimuli.Half | None = None) -> xr.DataArray:
        """Average the responses to the stimuli of each class.

        Each subject's responses are sorted by the classes of the stimuli it was shown itself. What
        a unit prefers and how strongly cannot both be read from the same responses: the largest of
        several means is above the others by noise alone. Choose by one half of the stimuli, and
        measure with the other.

        Parameters
        ----------
        half : "first" or "second", optional
            Every other stimulus of each class, in the order of recording; all unless given.

        Returns
        -------
        xr.DataArray
            Dims of the responses, ``stimulus_class`` in the place of ``stimulus``, in units of the
            responses. Classes are in ascending order; NaN where a subject was shown none of one.

        Raises
        ------
        virtuallab.errors.UserError
            If the recording does not know classes, or there is no such half.
        """
        return stimuli.tuning(self._recording, half)

    def trial_average(self, dim: str = stimuli.TRIAL) -> xr.Dataset:
        """Average what was shown repeatedly.

        Where the recording has the axis ``dim``, the mean is over that. Where it has no axis
        ``trial``, stimuli of the same ``stimulus_index`` are repetitions of one stimulus: the axis
        ``stimulus`` then holds each subject's distinct stimuli, in the order in which they first
        came. If a subject was shown fewer than another, its last are NaN, with index and class -1.

        Parameters
        ----------
        dim : str, default "trial"
            Axis of repetitions.

        Returns
        -------
        xr.Dataset
            A recording, so that ``.lab`` goes on from it. Weights and all else that has no
            repetitions are as they were.

        Raises
        ------
        virtuallab.errors.UserError
            If nothing says what was repeated, or stimuli differ along the axis of repetitions.
        """
        return stimuli.trial_average(self._recording, dim)

    def participation_ratio(self) -> xr.DataArray:
        r"""In how many dimensions each layer's responses vary.

        .. math:: D = \frac{(\sum_i \lambda_i)^2}{\sum_i \lambda_i^2}

        with :math:`\lambda` the eigenvalues of the covariance of the units' responses over stimuli:
        1 if all that varies is one pattern, the number of units if they vary independently and
        alike. It cannot exceed the number of stimuli less one, and grows with the number of units
        recorded: compare layers of equal numbers.

        Returns
        -------
        xr.DataArray
            Dims ([subject], [visit], layer), without unit. NaN in a layer without recorded units,
            or whose responses do not vary. Stimuli to which a response is missing are left out.

        References
        ----------
        Gao et al. 2017, "A theory of multineuronal dimensionality, dynamics and measurement".
        """
        return by_layer.participation_ratio(self._recording)

    def rdm(self, metric: str = "correlation") -> xr.DataArray:
        """Compare the responses to any two stimuli: representational dissimilarity matrices.

        Parameters
        ----------
        metric : "correlation" or "euclidean"
            1 - Pearson correlation over the units of a layer (0 alike, 1 unrelated, 2 opposite), or
            Euclidean distance in units of the responses.

        Returns
        -------
        xr.DataArray
            Dims ([subject], [visit], layer, stimulus, stimulus_2), with the class of the stimulus
            among the coordinates where it is known. Symmetric, 0 on the diagonal. NaN for a
            stimulus to which a response is missing, and in correlations also for one to which all
            units respond alike, as in layers of one unit.

        Raises
        ------
        virtuallab.errors.UserError
            If there is no such metric.

        Notes
        -----
        As many numbers as stimuli squared, for each subject, visit and layer: of a large recording
        select a part first.

        References
        ----------
        Kriegeskorte et al. 2008, "Representational similarity analysis - connecting the branches of
        systems neuroscience".
        """
        return by_layer.rdm(self._recording, metric)

    def rdm_similarity(self, metric: str = "correlation") -> xr.DataArray:
        """Compare the dissimilarities at any two visits: representational drift.

        Pearson correlation between the upper triangles of the two visits' matrices, as in
        :meth:`rdm`, over the pairs of stimuli that are known at both. Units need not be the same at
        both visits.

        Parameters
        ----------
        metric : "correlation" or "euclidean"
            As in :meth:`rdm`.

        Returns
        -------
        xr.DataArray
            Dims ([subject], layer, visit, visit_2), without unit: 1 where nothing changed, 0 where
            nothing is left. NaN where fewer than three pairs are known at both, or all are alike.

        Raises
        ------
        virtuallab.errors.UserError
            If there is no such metric, or no axis of visits.

        References
        ----------
        Kriegeskorte et al. 2008, "Representational similarity analysis - connecting the branches of
        systems neuroscience".
        """
        return by_layer.rdm_similarity(self._recording, metric)

    def plot_activity(
        self, *, subject: str | None = None, visit: int | None = None, ax: Axes | None = None
    ) -> Axes:
        """Draw one subject's responses at one visit: stimuli by class, units by layer.

        Each unit's responses are z-scored over the stimuli. Grey is missing.

        Parameters
        ----------
        subject : str, optional
            The first that was recorded, unless named.
        visit : int, optional
            The last, unless given.
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure unless given.

        Raises
        ------
        virtuallab.errors.UserError
            If there is no such subject or visit, or no response to draw.
        """
        from virtuallab.accessor.plots import heatmaps as pictures

        return pictures.activity(self._recording, subject=subject, visit=visit, ax=ax)

    def plot_tuning(
        self, *, subject: str | None = None, visit: int | None = None, ax: Axes | None = None
    ) -> Axes:
        """Draw one subject's mean responses to each class, units by layer and preferred class.

        Cross-validated: units are ordered by the class that they prefer in one half of the stimuli,
        and their means over the other half are drawn. A diagonal is tuning that holds for stimuli
        it was not chosen by; noise gives none. Each unit's means are z-scored over the classes.
        Grey is missing: no second stimulus of a class was shown.

        Parameters
        ----------
        subject, visit, ax
            As in :meth:`plot_activity`.

        Raises
        ------
        virtuallab.errors.UserError
            As in :meth:`plot_activity`, and if the recording does not know classes.
        """
        from virtuallab.accessor.plots import heatmaps as pictures

        return pictures.tuning(self._recording, subject=subject, visit=visit, ax=ax)

    def plot_rdm(
        self,
        *,
        subject: str | None = None,
        visits: int | Sequence[int] | None = None,
        metric: str = "correlation",
    ) -> Figure:
        """Draw one subject's dissimilarities, a row for each visit and a column for each layer.

        Colours mean the same in all panels, so that layers and visits can be compared; grey is
        missing.

        Parameters
        ----------
        subject : str, optional
            The first that was recorded, unless named.
        visits : int or list of int, optional
            The first and the last, unless given.
        metric : "correlation" or "euclidean"
            As in :meth:`rdm`. Euclidean distances are drawn as a share of their layer's largest.

        Raises
        ------
        virtuallab.errors.UserError
            If there is no such subject, visit or metric, or no response to draw.
        """
        from virtuallab.accessor.plots import heatmaps as pictures

        return pictures.rdm(self._recording, subject=subject, visits=visits, metric=metric)

    def plot_drift(self, *, reference: int | None = None, metric: str = "correlation") -> Figure:
        """Draw how like those of one visit the dissimilarities of each layer are at the others.

        Mean over the subjects of each rule, with its 95 % interval by Student's t.

        Parameters
        ----------
        reference : int, optional
            Visit to compare with; the first unless given.
        metric : "correlation" or "euclidean"
            As in :meth:`rdm`.

        Raises
        ------
        virtuallab.errors.UserError
            If there is no such visit or metric, or fewer than two visits.
        """
        from virtuallab.accessor.plots import drift

        return drift.draw(self._recording, reference=reference, metric=metric)
