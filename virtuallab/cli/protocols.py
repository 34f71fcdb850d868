"""Commands on protocols: write, validate, plan and tune one; what it may name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import virtuallab
from virtuallab.cli.application import command
from virtuallab.cli.options import Device, Overrides, ProtocolFile, Scheduler, Workers, as_path
from virtuallab.entry import uncollected
from virtuallab.text import brief, printable


@command("Protocols")
def init(
    path: Annotated[Path, typer.Argument(help="File to write.", parser=as_path)] = Path(
        "protocol.yaml"
    ),
) -> None:
    """Write a commented protocol to start from."""
    from virtuallab.lab.init import write_starter

    write_starter(path)
    typer.echo(printable(f"{path} written. Next: virtuallab validate {path}"))


@command("Protocols")
def validate(
    protocols: Annotated[list[Path], typer.Argument(help="Protocols, YAML files.", parser=as_path)],
    overrides: Overrides = None,
    syntax: Annotated[
        bool,
        typer.Option("--syntax", help="Check syntax and keys only, without building networks."),
    ] = False,
) -> None:
    """Check protocols, and list every error with its file, line and key."""
    if syntax:
        from virtuallab.protocol.reading.read import faults_in

        faults = faults_in(protocols, overrides or ())
    else:
        with uncollected():
            from virtuallab.lab.planning import validation

            faults = validation.faults_in(protocols, overrides or ())
    for fault in faults:
        typer.echo(brief(str(fault)), err=True)
    files = {fault.file for fault in faults}
    # A fault of an override belongs to no file, and may concern any of them.
    valid = [path for path in protocols if files <= {*map(str, protocols)} - {str(path)}]
    for path in valid:
        typer.echo(printable(f"{path}: valid"))
    if faults:
        raise typer.Exit(2)


@command("Protocols")
def plan(protocol: ProtocolFile, overrides: Overrides = None, workers: Workers = None) -> None:
    """Estimate what a protocol requires: subjects, cohorts, time and storage."""
    with uncollected():
        virtuallab.plan(protocol, overrides or (), workers=workers, verbose=True)


@command("Protocols")
def search(
    protocol: ProtocolFile,
    overrides: Overrides = None,
    storage: Annotated[
        Path | None,
        typer.Option(
            "--journal", help="Where to store trials [runs/NAME.search.journal].", parser=as_path
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option("--workers", "-w", min=1, help="Studies run in parallel [all cores]."),
    ] = None,
    device: Device = "cpu",
    scheduler: Scheduler = None,
) -> None:
    """Tune open settings, and write the tuned protocol; run again to resume."""
    virtuallab.search(
        protocol,
        overrides or (),
        storage=storage,
        workers=workers,
        device=device,
        scheduler=scheduler,
        verbose=True,
    )


@command("Protocols", "list")
def list_(
    kind: Annotated[
        str | None, typer.Argument(help="Kind of plug-in: rules, architectures, ...")
    ] = None,
    name: Annotated[str | None, typer.Argument(help="Plug-in to describe.")] = None,
) -> None:
    """List plug-ins, or describe one: its equation, settings and source."""
    from virtuallab.lab import catalogue

    text = catalogue.listing(kind) if kind is None or name is None else catalogue.page(kind, name)
    typer.echo(text)


@command("Protocols")
def schema() -> None:
    """Print the JSON Schema of protocols, for editors."""
    from virtuallab.lab import schema

    typer.echo(schema.text(), nl=False)
