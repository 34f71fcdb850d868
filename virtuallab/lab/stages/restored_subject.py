"""A preserved subject that is prepared for recording, also with its signal removed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import xarray as xr

from virtuallab.lab.stages.reference import Reference
from virtuallab.probes import Probe
from virtuallab.probes.noise.calibration import ProbeCalibration
from virtuallab.probes.preparation import StaticPreparation
from virtuallab.store import Store
from virtuallab.subject.preparation import PreparedSubject, prepare


@dataclass(frozen=True)
class RestoredSubject:
    """A subject that any number of probes can be implanted in.

    Parameters
    ----------
    preparation : Preparation
    visits : int
        Number of visits at which it was preserved.
    key : str
        The subject's.
    reference : Reference
        Of its group.
    """

    preparation: PreparedSubject
    visits: int
    key: str
    reference: Reference

    @classmethod
    def of(cls, store: Store, reference: Reference, index: int, key: str) -> RestoredSubject:
        """Prepare a subject of a store; ``index`` and ``key`` are the subject's."""
        group = reference.group
        states = store.read(f"snapshots/{group.name}", index)["state"].to_numpy()
        preparation = prepare(group.architecture, group.task, states, None)
        return cls(preparation, len(states), key, reference)

    def record(
        self,
        probe: Probe,
        calibration: ProbeCalibration | None,
        choice: np.random.Generator,
        noise: Callable[[], np.random.Generator],
        *,
        alone: bool = True,
    ) -> tuple[xr.Dataset, xr.Dataset | None]:
        """Implant a probe and record.

        Parameters
        ----------
        probe : Probe
        calibration : ProbeCalibration or None
            Of this probe, from the reference.
        choice : numpy.random.Generator
            Stream that chooses the units.
        noise : callable
            Makes the probe's noise stream anew at each call.
        alone : bool
            Also record the noise without the signal, if the probe has noise.

        Returns
        -------
        recording : xr.Dataset
        noise : xr.Dataset or None
            The same units and the same noise without the signal; None if not recorded.
        """
        implant = probe.implant(self.preparation, choice)
        recording = implant.record(self.preparation, noise(), calibration)
        if not (alone and probe.resolved.is_noisy):
            return recording, None
        return recording, implant.record(self._unchanging, noise(), calibration)

    @cached_property
    def _unchanging(self) -> StaticPreparation:
        return self.reference.unchanging(self.key, self.visits)
