"""Commands of ``virtuallab``, each of which calls a function of :mod:`virtuallab.lab`.

Libraries that take long to import are imported inside the commands, so that ``--help`` is fast.
"""

from __future__ import annotations

import os
import sys

from virtuallab import lazy

# In the order in which ``--help`` lists their commands.
from virtuallab.cli import protocols, experiments, designs, recordings  # isort: skip
from virtuallab.cli.application import app
from virtuallab.entry import run_command

__all__ = ["app", "designs", "experiments", "main", "protocols", "recordings"]


def main() -> None:
    """Run a command; an error is a message and an exit code, not a traceback."""
    # Plug-ins of pydantic are not used, and looking for them reads every distribution.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    lazy.defer("torch", "xarray", "zarr", "pandas", "numpy", "jaxtyping", "probeinterface")
    sys.exit(run_command(app))
