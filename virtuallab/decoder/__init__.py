"""The decoder: identify the rule from features of a recording, with calibrated probabilities.

It uses no store and no protocol:

>>> from virtuallab.decoder import Decoder
>>> decoder = Decoder("kernel_svm", scheme="strict")
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from virtuallab.decoder.analysis import Analysis, Primary

if TYPE_CHECKING:
    from virtuallab.decoder.decoder import Decoder, Evaluation
    from virtuallab.decoder.prediction import Prediction

# Protocols are read without scikit-learn, which what fits decoders imports: it is loaded by name.
_LAZY = {"Decoder": "decoder", "Evaluation": "decoder", "Prediction": "prediction"}

__all__ = ["Analysis", "Decoder", "Evaluation", "Prediction", "Primary"]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
