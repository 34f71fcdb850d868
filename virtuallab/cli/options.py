"""Arguments and options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from virtuallab.errors import UserError
from virtuallab.lab.services.devices import device_name
from virtuallab.paths import expanded


def as_path(text: str | Path) -> Path:
    """Path in an argument or option, with ``~`` expanded."""
    try:
        return expanded(text)
    except UserError as error:
        raise typer.BadParameter(str(error)) from None


def as_device(text: str) -> str:
    """Name of a device in an option."""
    try:
        return device_name(text)
    except UserError as error:
        raise typer.BadParameter(str(error)) from None


ProtocolFile = Annotated[Path, typer.Argument(help="Protocol, a YAML file.", parser=as_path)]
StorePath = Annotated[Path, typer.Argument(help="Experiment, runs/NAME.zarr.", parser=as_path)]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        "-s",
        help="Override a setting that the command uses, as in subjects.replicates=2; can be "
        "repeated.",
    ),
]
StoreOption = Annotated[
    Path | None,
    typer.Option("--store", help="Where to store the experiment [runs/NAME.zarr].", parser=as_path),
]
SubjectsOption = Annotated[
    Path | None,
    typer.Option(
        "--subjects",
        help="Experiment whose subjects are used, instead of training.",
        parser=as_path,
    ),
]
Workers = Annotated[
    int | None,
    typer.Option("--workers", "-w", min=1, help="Cohorts computed in parallel [all cores]."),
]
Device = Annotated[
    str,
    typer.Option(
        metavar="auto|cpu|cuda",
        parser=as_device,
        help="Device on which subjects are trained; auto: cuda if there is one, or cpu.",
    ),
]
Scheduler = Annotated[
    str | None,
    typer.Option(
        "--scheduler",
        metavar="local|tcp://HOST:PORT|FILE",
        help="Dask cluster that computes: processes of this machine, or a running scheduler.",
    ),
]
