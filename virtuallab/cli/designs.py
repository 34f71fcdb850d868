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
) -> None:
    """Rank recording designs in the same subjects. Run again to resume."""
    virtuallab.compare(
        protocol,
        overrides or (),
        subjects=subjects,
        store=store,
        workers=workers,
        device=device,
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
) -> None:
    """Find the cheapest recording that identifies the rule. Run again to resume."""
    virtuallab.power(
        protocol,
        overrides or (),
        target=target,
        subjects=subjects,
        store=store,
        workers=workers,
        device=device,
        verbose=True,
    )
