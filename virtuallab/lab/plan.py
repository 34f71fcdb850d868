"""``plan``: what a protocol takes, before anything runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from virtuallab.lab.planning.costs import costs_table, measure_costs
from virtuallab.lab.planning.plan import Plan
from virtuallab.lab.planning.validation import make_plan
from virtuallab.lab.services.console import Verbose, console_of
from virtuallab.protocol import Protocol, as_protocol


def plan(
    protocol: Protocol | Mapping[str, Any] | str | Path,
    overrides: Sequence[str] = (),
    *,
    workers: int | None = None,
    verbose: Verbose = False,
) -> Plan:
    """Lay a protocol out as work, with its costs; a few trial steps are trained for them.

    Parameters
    ----------
    protocol : Protocol, mapping, str or Path
        A protocol, its settings as plain data, or its YAML file.
    overrides : str or sequence of str
        Settings to override, ``"subjects.replicates=2"``.
    workers : int, optional
        Cohorts at once; as many as there are cores if not given.
    verbose : bool or rich.console.Console
        Print the plan as a table.

    Returns
    -------
    Plan
        Its ``subjects``, ``visits`` and ``costs``: cohorts, seconds of each stage, bytes, warnings.
        ``to_dataset()`` and ``to_frame()`` are the table of subjects.

    Raises
    ------
    ProtocolError
        If the protocol cannot be carried out; every fault is listed.
    """
    found = measure_costs(make_plan(as_protocol(protocol, overrides)), workers)
    console_of(verbose).print(costs_table(found))
    return found
