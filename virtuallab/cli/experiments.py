"""Commands on experiments: run one, record and decode it again, report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import virtuallab
from virtuallab.cli.application import command, show
from virtuallab.cli.options import (
    Device,
    Overrides,
    ProtocolFile,
    Scheduler,
    StoreOption,
    StorePath,
    Workers,
    as_path,
)
from virtuallab.errors import UserError
from virtuallab.text import printable


@command("Experiments")
def run(
    protocol: ProtocolFile,
    overrides: Overrides = None,
    store: StoreOption = None,
    workers: Workers = None,
    device: Device = "cpu",
    scheduler: Scheduler = None,
) -> None:
    """Run an experiment: train, record, decode, report; run again to resume."""
    virtuallab.run(
        protocol,
        overrides or (),
        store=store,
        workers=workers,
        device=device,
        scheduler=scheduler,
        verbose=True,
    )


@command("Experiments")
def status(
    store: StorePath,
    verify: Annotated[
        bool, typer.Option(help="Compare every file with its stored digest.")
    ] = False,
) -> None:
    """Show the progress of an experiment."""
    from virtuallab.lab import status as inspection

    table, damage = inspection.status(store, verify=verify)
    show(table)
    for line in damage:
        typer.echo(printable(line), err=True)
    if damage:
        raise typer.Exit(1)


@command("Experiments")
def info(store: StorePath) -> None:
    """Show the contents and the provenance of an experiment."""
    from virtuallab.lab import status

    show(status.info(store))


@command("Experiments")
def probe(
    store: StorePath,
    protocol: Annotated[
        Path | None,
        typer.Option(
            help="Protocol whose probes are implanted [unfinished probes of the store].",
            parser=as_path,
        ),
    ] = None,
    overrides: Overrides = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    remove: Annotated[
        list[str] | None,
        typer.Option(help="Remove a probe and its recordings; can be repeated."),
    ] = None,
) -> None:
    """Implant probes in preserved subjects, or remove them, without new training."""
    if remove and (protocol is not None or overrides):
        raise UserError("--remove cannot be combined with --protocol or --set.")
    virtuallab.probe(
        store,
        protocol,
        overrides or (),
        remove=remove or (),
        workers=workers,
        scheduler=scheduler,
        verbose=True,
    )


@command("Experiments")
def decode(
    store: StorePath,
    protocol: Annotated[
        Path | None,
        typer.Option(
            help="Protocol whose analyses are run [that of the experiment].", parser=as_path
        ),
    ] = None,
    overrides: Overrides = None,
    partial: Annotated[
        bool,
        typer.Option("--partial", help="Also decode probes that have not recorded all subjects."),
    ] = False,
    workers: Workers = None,
    scheduler: Scheduler = None,
) -> None:
    """Decode the learning rules from the recordings."""
    virtuallab.decode(
        store,
        protocol,
        overrides or (),
        partial=partial,
        workers=workers,
        scheduler=scheduler,
        verbose=True,
    )


@command("Experiments")
def report(
    store: StorePath,
    output: Annotated[Path | None, typer.Option(help="HTML file to write.", parser=as_path)] = None,
) -> None:
    """Write the report, a self-contained HTML page, and print the verdict."""
    virtuallab.report(store, output, verbose=True)


@command("Experiments")
def export(
    store: StorePath,
    out: Annotated[Path, typer.Argument(help="Copy to write, FOLDER/NAME.zarr.", parser=as_path)],
) -> None:
    """Copy an experiment without preserved subjects, to hand it round."""
    virtuallab.export(store, out, verbose=True)
