"""Commands on recording designs: compare many, or find the cheapest sufficient one."""

from __future__ import annotations

from typing import Annotated

import typer

import virtuallab
from virtuallab.cli.application import command
from virtuallab.cli.options import (
    Device,
    Overrides,
    ProtocolFile,
    Scheduler,
    StoreOption,
    SubjectsOption,
    Workers,
)


@command("Recording designs")
def compare(
    protocol: ProtocolFile,
    overrides: Overrides = None,
    subjects: SubjectsOption = None,
    store: StoreOption = None,
    workers: Workers = None,
    device: Device = "cpu",
    scheduler: Scheduler = None,
) -> None:
    """Rank recording designs in the same subjects; run again to resume."""
    virtuallab.compare(
        protocol,
        overrides or (),
        subjects=subjects,
        store=store,
        workers=workers,
        device=device,
        scheduler=scheduler,
        verbose=True,
    )


@command("Recording designs")
def power(
    protocol: ProtocolFile,
    target: Annotated[
        float | None, typer.Option("--target", "-t", help="Balanced accuracy to reach.")
    ] = None,
    overrides: Overrides = None,
    subjects: SubjectsOption = None,
    store: StoreOption = None,
    workers: Workers = None,
    device: Device = "cpu",
    scheduler: Scheduler = None,
) -> None:
    """Find the cheapest recording that identifies the rule; run again to resume."""
    virtuallab.power(
        protocol,
        overrides or (),
        target=target,
        subjects=subjects,
        store=store,
        workers=workers,
        device=device,
        scheduler=scheduler,
        verbose=True,
    )
