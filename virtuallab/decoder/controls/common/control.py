"""Base class of controls, and the result of one."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal

from virtuallab.decoder.task import DecodingTask

Kind = Literal["chance", "beat", "survive"]


@dataclass(frozen=True)
class ControlResult:
    """Result of one control.

    Parameters
    ----------
    name : str
    kind : {"chance", "beat", "survive"}
        The control's accuracy must be at chance; must be below the recording's; or is the
        recording's own in comparable subjects and must still be above chance.
    accuracy : float
        Balanced accuracy of the control; NaN if it was not evaluated.
    low, high : float
        Bounds of the accuracy. A ``chance`` control fails by its p-value, which is one-sided.
    passed : bool
        False also if the control was not evaluated.
    n_subjects : int
        Subjects that were decoded, or that would have remained.
    note : str
        A remark, or why the control was not evaluated.
    p_value : float
        Of ``chance`` and ``survive``: probability that guessing is as accurate. NaN otherwise.
    difference : (float, float, float), optional
        Of ``beat``: accuracy of the recording minus that of the control, and bounds; of
        ``survive``: accuracy minus chance, and bounds.
    """

    name: str
    kind: Kind
    accuracy: float
    low: float
    high: float
    passed: bool
    n_subjects: int
    note: str = ""
    p_value: float = math.nan
    difference: tuple[float, float, float] | None = None

    @classmethod
    def not_evaluated(cls, name: str, kind: Kind, n_subjects: int, reason: str) -> ControlResult:
        """Return the result of a control that could not be evaluated."""
        return cls(name, kind, math.nan, math.nan, math.nan, False, n_subjects, reason)

    @property
    def evaluated(self) -> bool:
        """True if the control was evaluated."""
        return math.isfinite(self.accuracy)


class Control(ABC):
    """A control plug-in: the computation, and the words that reports print.

    Attributes
    ----------
    name : str
        Set by the registry.
    kind : {"chance", "beat", "survive"}
        See :class:`ControlResult`.
    decodes : str
        What the control decodes, as part of a sentence.
    failure : str
        Of ``chance``: what it means if the control fails, as part of a sentence.
    condition : str
        Of ``beat``: the data known without a recording, such as "the learning curve alone". Of
        ``survive``: the comparable subjects, such as "among subjects with equal final accuracies".
        Reports put it into a sentence on a control that fails or is undecided.
    rank : int
        Place in reports, smallest first.
    scheme : {"strict", "published"}
        The scheme in which it is evaluated.
    """

    name: ClassVar[str]
    kind: ClassVar[Kind]
    decodes: ClassVar[str]
    failure: ClassVar[str] = ""
    condition: ClassVar[str] = ""
    rank: ClassVar[int] = 100
    scheme: ClassVar[Literal["strict", "published"]] = "strict"

    @abstractmethod
    def evaluate(self, task: DecodingTask) -> ControlResult:
        """Return the result of the control for a decoding task.

        Parameters
        ----------
        task : DecodingTask
            With one sample a subject; in the published scheme, one a layer.

        Returns
        -------
        ControlResult
            :meth:`not_evaluated` if the task lacks the data that the control needs.
        """

    def not_evaluated(self, task: DecodingTask, reason: str) -> ControlResult:
        """Return the result of a control that cannot be evaluated, with the reason.

        Parameters
        ----------
        task : DecodingTask
        reason : str
            For reports, without a full stop.

        Returns
        -------
        ControlResult
        """
        return ControlResult.not_evaluated(self.name, self.kind, len(task.labels), reason)
