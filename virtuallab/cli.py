"""The commands: ``virtuallab VERB``. Each says what it is for and hands over to the laboratory.

Libraries that take a second to import are imported inside the commands, so that ``--help`` answers
at once.
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
    help="A virtual electrophysiology laboratory: which learning rule was at work?",
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
    """Options of virtuallab itself."""


Plugins = Annotated[
    list[str] | None,
    typer.Option("--plugin", help="A file or module with plug-ins of your own; may be repeated."),
]


def _command(name: str | None = None) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Enter a command, with the option that every command has: ``--plugin``."""

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
    """Path in an argument or option, with ``~`` expanded; every one is read by this."""
    try:
        return expanded(text)
    except UserError as error:
        raise typer.BadParameter(str(error)) from None


ProtocolFile = Annotated[Path, typer.Argument(help="The protocol, a YAML file.", parser=as_path)]
StorePath = Annotated[Path, typer.Argument(help="The experiment, runs/NAME.zarr.", parser=as_path)]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", "-s", help="Override one setting: -s subjects.replicates=2"),
]
StoreOption = Annotated[
    Path | None,
    typer.Option("--store", help="Where the experiment is kept [runs/NAME.zarr].", parser=as_path),
]
SubjectsOption = Annotated[
    Path | None,
    typer.Option(
        "--subjects", help="Another experiment, whose subjects are taken.", parser=as_path
    ),
]
Workers = Annotated[
    int | None, typer.Option("--workers", "-w", min=1, help="Cohorts at once [all cores].")
]
Device = Annotated[Literal["cpu", "cuda"], typer.Option(help="Where subjects are trained.")]


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
    protocols: Annotated[list[Path], typer.Argument(help="Protocols to check.", parser=as_path)],
    overrides: Overrides = None,
    syntax: Annotated[
        bool,
        typer.Option("--syntax", help="Check the files themselves only; build no network."),
    ] = False,
) -> None:
    """Check protocols: every fault, with its file, line and key."""
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
    """Say what a protocol would take, before anything runs: subjects, cohorts, time, bytes."""
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
    """Do the whole experiment: train, record, decode, report. Run it again to go on."""
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
            "--storage", help="Where trials are kept [runs/NAME.search.journal].", parser=as_path
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", "-w", min=1, help="Studies at once [all cores].")
    ] = None,
    device: Device = "cpu",
) -> None:
    """Find the best values of open settings; write the tuned protocol. Run it again to go on."""
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
    verify: Annotated[bool, typer.Option(help="Compare every file with its digest.")] = False,
) -> None:
    """Say how far an experiment has come."""
    from virtuallab.lab import status as inspection

    table, damage = inspection.status(store, verify=verify)
    _print(table)
    for line in damage:
        typer.echo(printable(line), err=True)
    if damage:
        raise typer.Exit(1)


@_command()
def info(store: StorePath) -> None:
    """Say what an experiment holds and where it came from."""
    from virtuallab.lab import status

    _print(status.info(store))


@_command()
def probe(
    store: StorePath,
    protocol: Annotated[
        Path | None,
        typer.Option(
            help="Protocol whose probes are implanted [those in the store, to finish them].",
            parser=as_path,
        ),
    ] = None,
    overrides: Overrides = None,
    workers: Workers = None,
    remove: Annotated[
        list[str] | None,
        typer.Option(help="Remove this probe and all it has recorded; may be repeated."),
    ] = None,
) -> None:
    """Implant probes in preserved subjects, or remove them; nothing is trained again."""
    if remove and (protocol is not None or overrides):
        raise UserError("--remove takes probes out of the store: give no --protocol and no --set.")
    virtuallab.probe(
        store, protocol, overrides or (), remove=remove or (), workers=workers, verbose=True
    )


@_command()
def decode(
    store: StorePath,
    protocol: Annotated[
        Path | None,
        typer.Option(
            help="Protocol whose analyses are run [the experiment's own].", parser=as_path
        ),
    ] = None,
    overrides: Overrides = None,
    partial: Annotated[
        bool, typer.Option("--partial", help="Decode probes that have not recorded all subjects.")
    ] = False,
    workers: Workers = None,
) -> None:
    """Identify the rules from what the probes saw."""
    virtuallab.decode(
        store, protocol, overrides or (), partial=partial, workers=workers, verbose=True
    )


@_command()
def identify(
    decoder: Annotated[
        Path,
        typer.Argument(
            help="A saved decoder, NAME.decoder, or an experiment, runs/NAME.zarr.", parser=as_path
        ),
    ],
    recording: Annotated[
        list[Path],
        typer.Argument(
            help="The recording; of NWB, a folder or one file for each visit.", parser=as_path
        ),
    ],
    match: Annotated[
        bool,
        typer.Option("--match", help="Record the experiment's subjects as the recording was made."),
    ] = False,
    fractions: Annotated[
        bool,
        typer.Option(
            "--fractions",
            help="With --match: at the same fractions of learning, whatever steps count.",
        ),
    ] = False,
    probe: Annotated[
        str | None, typer.Option(help="Train on what this probe of the experiment has recorded.")
    ] = None,
    subject: Annotated[
        str | None, typer.Option(help="Which subject, where the recording has many.")
    ] = None,
    stimuli_table: Annotated[
        str | None,
        typer.Option(help="Of NWB: the table of intervals that says what was shown [trials]."),
    ] = None,
    visits_from: Annotated[
        str | None,
        typer.Option(help="Of NWB: the table of intervals, such as epochs, that marks the visits."),
    ] = None,
    others: Annotated[
        list[str] | None,
        typer.Option(help="Rule that is not to be named; may be repeated [those of the analyses]."),
    ] = None,
    classifier: Annotated[
        str | None, typer.Option(help="Classifier of the decoder [kernel_svm].")
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option(help="Where to write the decoder too, NAME.decoder.", parser=as_path),
    ] = None,
    workers: Workers = None,
) -> None:
    """Say which rule was at work in a recording, one of ours or one made elsewhere."""
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
    """Try many recording designs in the same subjects, and rank them. Run it again to go on."""
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
        float | None, typer.Option("--target", "-t", help="Balanced accuracy to be reached.")
    ] = None,
    overrides: Overrides = None,
    subjects: SubjectsOption = None,
    store: StoreOption = None,
    workers: Workers = None,
    device: Device = "cpu",
) -> None:
    """Find the least that has to be recorded to identify the rule. Run it again to go on."""
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
    output: Annotated[Path | None, typer.Option(help="The page to write.", parser=as_path)] = None,
) -> None:
    """Write the report, one self-contained HTML page, and print the verdict."""
    virtuallab.report(store, output, verbose=True)


@_command("list")
def list_(
    kind: Annotated[str | None, typer.Argument(help="rules, architectures, ...")] = None,
    name: Annotated[str | None, typer.Argument(help="One of them, to read all about it.")] = None,
) -> None:
    """List the plug-ins a protocol may name; of one, show its equation, settings and source."""
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
    """Run a command; an error is one clear message and an exit code, never a traceback."""
    # A plug-in of pydantic has no business here, and looking for them reads every distribution.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    lazy.defer("torch", "xarray", "zarr", "pandas", "numpy", "jaxtyping", "probeinterface")
    sys.exit(run_command(app))
