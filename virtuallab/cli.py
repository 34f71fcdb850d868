"""Commands of ``virtuallab``; each calls a function of :mod:`virtuallab.lab`.

Libraries that take long to import are imported inside the commands, so that ``--help`` is fast.
"""

from __future__ import annotations

import functools
import inspect
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

import virtuallab
from virtuallab import lazy, plugins
from virtuallab.entry import run_command, uncollected
from virtuallab.errors import UserError
from virtuallab.paths import expanded
from virtuallab.text import brief, printable

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(
    help="Simulate neural recordings, and test whether they identify the learning rule.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)


def _version(asked: bool) -> bool:
    if asked:
        typer.echo(f"virtuallab {virtuallab.__version__}")
        raise typer.Exit
    return asked


@app.callback()
def _common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Options of virtuallab."""


Plugins = Annotated[
    list[str] | None,
    typer.Option("--plugin", help="File or module with your own plug-ins; can be repeated."),
]


def _command(name: str | None = None) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a command, with the option ``--plugin`` that all commands have."""

    def enter(function: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(function)
        def command(*args: Any, plugin: list[str] | None = None, **options: Any) -> None:
            plugins.load(plugin or ())
            function(*args, **options)

        own = inspect.signature(function, eval_str=True)
        option = inspect.Parameter(
            "plugin", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Plugins
        )
        parameters = [*own.parameters.values(), option]
        command.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {}
        return app.command(name)(command)

    return enter


def as_path(text: str | Path) -> Path:
    """Path in an argument or option, with ``~`` expanded."""
    try:
        return expanded(text)
    except UserError as error:
        raise typer.BadParameter(str(error)) from None


ProtocolFile = Annotated[Path, typer.Argument(help="Protocol, a YAML file.", parser=as_path)]
StorePath = Annotated[Path, typer.Argument(help="Experiment, runs/NAME.zarr.", parser=as_path)]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set", "-s", help="Override a setting, as in subjects.replicates=2; can be repeated."
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
    Literal["cpu", "cuda"], typer.Option(help="Device on which subjects are trained.")
]


@_command()
def init(
    path: Annotated[Path, typer.Argument(help="File to write.", parser=as_path)] = Path(
        "protocol.yaml"
    ),
) -> None:
    """Write a commented protocol to start from."""
    from virtuallab.lab.init import write_starter

    write_starter(path)
    typer.echo(printable(f"{path} written. Next: virtuallab plan {path}"))


@_command()
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
    if faults:
        raise typer.Exit(2)
    typer.echo(printable("\n".join(f"{path}: valid" for path in protocols)))


@_command()
def plan(protocol: ProtocolFile, overrides: Overrides = None, workers: Workers = None) -> None:
    """Estimate what a protocol requires: subjects, cohorts, time and storage."""
    with uncollected():
        virtuallab.plan(protocol, overrides or (), workers=workers, verbose=True)


@_command()
def run(
    protocol: ProtocolFile,
    overrides: Overrides = None,
    store: StoreOption = None,
    workers: Workers = None,
    device: Device = "cpu",
) -> None:
    """Run an experiment: train, record, decode, report. Run again to resume."""
    virtuallab.run(
        protocol, overrides or (), store=store, workers=workers, device=device, verbose=True
    )


@_command()
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
) -> None:
    """Tune open settings, and write the tuned protocol. Run again to resume."""
    virtuallab.search(
        protocol,
        overrides or (),
        storage=storage,
        workers=workers,
        device=device,
        verbose=True,
    )


@_command()
def status(
    store: StorePath,
    verify: Annotated[
        bool, typer.Option(help="Compare every file with its stored digest.")
    ] = False,
) -> None:
    """Show the progress of an experiment."""
    from virtuallab.lab import status as inspection

    table, damage = inspection.status(store, verify=verify)
    _print(table)
    for line in damage:
        typer.echo(printable(line), err=True)
    if damage:
        raise typer.Exit(1)


@_command()
def info(store: StorePath) -> None:
    """Show the contents and the provenance of an experiment."""
    from virtuallab.lab import status

    _print(status.info(store))


@_command()
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
    remove: Annotated[
        list[str] | None,
        typer.Option(help="Remove a probe and its recordings; can be repeated."),
    ] = None,
) -> None:
    """Implant probes in preserved subjects, or remove them, without new training."""
    if remove and (protocol is not None or overrides):
        raise UserError("--remove cannot be combined with --protocol or --set.")
    virtuallab.probe(
        store, protocol, overrides or (), remove=remove or (), workers=workers, verbose=True
    )


@_command()
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
) -> None:
    """Decode the learning rules from the recordings."""
    virtuallab.decode(
        store, protocol, overrides or (), partial=partial, workers=workers, verbose=True
    )


@_command()
def identify(
    decoder: Annotated[
        Path,
        typer.Argument(
            help="Saved decoder, NAME.decoder, or experiment, runs/NAME.zarr.", parser=as_path
        ),
    ],
    recording: Annotated[
        list[Path],
        typer.Argument(
            help="Recording; for NWB, a folder or one file for each visit.", parser=as_path
        ),
    ],
    match: Annotated[
        bool,
        typer.Option(
            "--match", help="Match the training recordings to the design of the recording."
        ),
    ] = False,
    fractions: Annotated[
        bool,
        typer.Option(
            "--fractions",
            help="With --match: match visits by fraction of learning, not by step.",
        ),
    ] = False,
    probe: Annotated[
        str | None, typer.Option(help="Probe of the experiment whose recordings train the decoder.")
    ] = None,
    subject: Annotated[
        str | None, typer.Option(help="Subject, if the recording has several.")
    ] = None,
    stimuli_table: Annotated[
        str | None,
        typer.Option(help="For NWB: table of intervals with the stimuli [trials]."),
    ] = None,
    visits_from: Annotated[
        str | None,
        typer.Option(help="For NWB: table of intervals with the visits, such as epochs."),
    ] = None,
    others: Annotated[
        list[str] | None,
        typer.Option(
            help="Rule used to detect unknown rules only; can be repeated [from the analyses]."
        ),
    ] = None,
    classifier: Annotated[
        str | None, typer.Option(help="Classifier of the decoder [kernel_svm].")
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option(help="File to which the decoder is saved, NAME.decoder.", parser=as_path),
    ] = None,
    workers: Workers = None,
) -> None:
    """Identify the learning rule in a recording, simulated or your own."""
    virtuallab.identify(
        decoder,
        recording,
        subject=subject,
        stimuli_table=stimuli_table,
        visits_from=visits_from,
        match=match,
        fractions=fractions,
        probe=probe,
        others=others or (),
        classifier=classifier,
        workers=workers,
        verbose=True,
        save=save,
    )


@_command()
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


@_command()
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


@_command()
def report(
    store: StorePath,
    output: Annotated[Path | None, typer.Option(help="HTML file to write.", parser=as_path)] = None,
) -> None:
    """Write the report, a self-contained HTML page, and print the verdict."""
    virtuallab.report(store, output, verbose=True)


@_command("list")
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


@_command()
def schema() -> None:
    """Print the JSON Schema of protocols, for editors."""
    from virtuallab.lab import schema

    typer.echo(schema.text(), nl=False)


def _console() -> Console:
    from virtuallab.console import terminal_console

    return terminal_console()


def _print(what: object) -> None:
    _console().print(what)


def main() -> None:
    """Run a command; an error is a message and an exit code, not a traceback."""
    # Plug-ins of pydantic are not used, and looking for them reads every distribution.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    lazy.defer("torch", "xarray", "zarr", "pandas", "numpy", "jaxtyping", "probeinterface")
    sys.exit(run_command(app))
