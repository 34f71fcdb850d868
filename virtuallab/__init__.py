"""A virtual electrophysiology laboratory.

Networks are the subjects, plasticity rules change them while they learn, probes record a few noisy
units of them at a few moments, and a decoder identifies the rule from the recordings.

>>> import virtuallab as vl
>>> tree = vl.run("protocols/quickstart.yaml", verbose=True)  # doctest: +SKIP
>>> tree = vl.open("runs/quickstart.zarr")  # doctest: +SKIP
"""

import importlib as _importlib
from typing import Any as _Any

__version__ = "0.1.0"

# Torch takes seconds to import, so that a function is imported when it is first used.
_MODULES = {
    "Protocol": "virtuallab.protocol",
    "compare": "virtuallab.lab.designs.compare",
    "decode": "virtuallab.lab.decode",
    "export": "virtuallab.lab.export",
    "identify": "virtuallab.lab.identification.identify",
    "open": "virtuallab.lab.open",
    "plan": "virtuallab.lab.plan",
    "power": "virtuallab.lab.designs.power",
    "probe": "virtuallab.lab.probe",
    "report": "virtuallab.lab.report",
    "run": "virtuallab.lab.run",
    "score": "virtuallab.lab.scoring.score",
    "search": "virtuallab.lab.tuning.search",
}
__all__ = list(_MODULES)


def __getattr__(name: str) -> _Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'virtuallab' has no attribute {name!r}")
    if name not in ("plan", "Protocol"):  # the others return data sets, which have ``.lab``
        _importlib.import_module("virtuallab.accessor")
    return getattr(_importlib.import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
