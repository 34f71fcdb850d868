"""One experiment from protocol to verdict: the only place where all the stages meet.

Every stage reads the store and adds to it, may be run again alone, and skips what is done.
"""

from __future__ import annotations

import shlex
import time
import warnings
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path

import xarray as xr
from rich.console import Console

from virtuallab.console import say
from virtuallab.errors import UserError, VirtuallabWarning, suggest
from virtuallab.lab import plan as planning
from virtuallab.lab.planning import validation as load
from virtuallab.lab.services.output_files import check_in_folder, check_page, write_page
from virtuallab.lab.services.progress import counting
from virtuallab.lab.services.resources import spent
from virtuallab.lab.services.workers import check_device, stoppable
from virtuallab.lab.stages import decode as decoding
from virtuallab.lab.stages import nodes as stages
from virtuallab.lab.stages import record as recording
from virtuallab.lab.stages.coverage import readable
from virtuallab.lab.stages.experiment import (
    ALL_DIVERGED,
    Experiment,
    begin,
    begin_anew,
    check_living,
    home,
    resume,
    so_far,
    train_all,
)
from virtuallab.probes import Probe
from virtuallab.protocol import Protocol
from virtuallab.reporting import experiment_page, verdict_table
from virtuallab.reporting.figures.recorded_activity import RecordingCheck, unchecked
from virtuallab.store import Store, open_tree, writer
from virtuallab.store.integrity.damage import Damage, raise_if_damaged
from virtuallab.store.integrity.verification import damaged_parts
from virtuallab.store.layout.location import records_folder
from virtuallab.vocabulary import PROBE


@stoppable()
def run(
    protocol: Path,
    overrides: Sequence[str] = (),
    *,
    store: Path | None = None,
    workers: int | None = None,
    device: str = "cpu",
    console: Console | None = None,
) -> xr.DataTree:
    """Do a whole experiment: train, record, decode, report.

    Interrupted, it goes on where it stopped when called again, and ends with the same bytes.

    Parameters
    ----------
    protocol : Path
        The protocol's YAML file.
    overrides : sequence of str
        Settings to override, ``"subjects.replicates=2"``.
    store : Path, optional
        Where to keep the experiment; ``runs/NAME.zarr`` if not given.
    workers : int, optional
        Cohorts trained at once; as many as there are cores if not given.
    device : str
        Where to train, ``"cpu"`` or ``"cuda"``.
    console : rich.console.Console, optional
        Where to report progress and the verdict; silent if not given.

    Returns
    -------
    xr.DataTree
        The experiment, opened: coordinates loaded, values lazy.

    Raises
    ------
    UserError
        If there is no such device.
    ProtocolError
        If the protocol cannot be carried out; every fault is listed.
    StoreError
        If the store belongs to another protocol, another process writes into it, or what lies in
        its place, or in that of its records, is something else.
    MachineError
        If the machine fails; what is stored is kept.
    """
    began = time.monotonic()
    console = console or Console(quiet=True)
    check_device(device)
    read = load.protocol(protocol, overrides)
    root = home(read, None, store)
    check_page(root.with_suffix(".html"))
    with writer(root, makes=True):
        experiment = begin(read, protocol, root, workers, console)
        train_all(experiment, workers=workers, device=device, console=console)
        is_lost = bool(read.probes) and not stages.living(experiment.store)
        if not is_lost:
            _record(experiment, read.probes, workers=workers, console=console)
            _decode(experiment.store, read, read, workers, console)
        experiment.store.finish()
    tree, left_out = _report(root, None, console)
    _tell(left_out)
    if is_lost:
        raise UserError(ALL_DIVERGED)
    say(console, f"Took {spent(began, root)}")
    return tree


@stoppable()
def probe(
    store: Path,
    protocol: Path | None = None,
    overrides: Sequence[str] = (),
    *,
    workers: int | None = None,
    console: Console | None = None,
) -> xr.DataTree:
    """Implant probes in preserved subjects; nothing is trained again.

    Parameters
    ----------
    store : Path
    protocol : Path, optional
        Protocol whose probes are implanted. If not given, the probes that are in the store, and
        those of its own protocol, record the subjects that they have not recorded yet.
    overrides : sequence of str
        Settings of that protocol to override.
    workers : int, optional
        Subjects at once; as many as there are cores if not given.
    console : rich.console.Console, optional
        Where to report progress; silent if not given.

    Raises
    ------
    UserError
        If no subject is preserved yet.
    StoreError
        If another process writes into the store, or a probe of that name is there with other
        settings.
    """
    console = console or Console(quiet=True)
    with writer(store):
        experiment = resume(Store.open(store))
        if protocol is None:
            kept = experiment.store
            others = {name: recording.probe_in(kept, name) for name in stages.probes_in(kept)}
            probes = {**others, **experiment.protocol.probes}
        else:
            probes = load.probes_for(protocol, overrides, experiment.protocol)
        _record(experiment, probes, workers=workers, console=console)
        experiment.store.finish()
    return _opened(store, open_tree)


@stoppable()
def remove(store: Path, probes: Sequence[str], *, console: Console | None = None) -> xr.DataTree:
    """Remove probes from an experiment: their recordings, features and records.

    Subjects and other probes stay as they are. A removal that was interrupted is ended by the same
    call.

    Parameters
    ----------
    store : Path
    probes : sequence of str
        Names of the probes.
    console : rich.console.Console, optional
        Where to say what was removed, and which analyses rest on it; silent if not given.

    Raises
    ------
    UserError
        If the store has no such probe.
    StoreError
        If another process writes into the store.
    """
    console = console or Console(quiet=True)
    with writer(store):
        kept = Store.open(store)
        known = stages.probes_in(kept)
        for name in probes:
            if name not in known:
                raise UserError(f"{store}: no probe {name!r}. {suggest(name, known)}")
        for name in dict.fromkeys(probes):
            nodes = [
                stages.feature_node(name),
                stages.noise_node(name),
                stages.recordings_of(name),
            ]
            count = len(kept.committed(stages.stage(name)))
            kept.remove(stages.stage(name), nodes)
            say(console, f"Probe {name} removed, with {count} recordings.")
        kept.finish()
    tree = _opened(store, open_tree)
    for analysis in _resting_on(tree, probes):
        again = shlex.join(["virtuallab", "decode", str(store)])
        say(
            console,
            f"Analysis {analysis} still holds what was decoded from it, until {again} replaces it.",
        )
    return tree


def _resting_on(tree: xr.DataTree, probes: Sequence[str]) -> list[str]:
    """Analyses whose stored verdicts were decoded from one of the probes."""
    if "decoding" not in tree:
        return []
    read = {
        name: node[PROBE].to_numpy().ravel() for name, node in tree["decoding"].children.items()
    }
    return [name for name, probe in read.items() if {*map(str, probe)} & {*probes}]


@stoppable(goes_on=False)
def decode(
    store: Path,
    protocol: Path | None = None,
    overrides: Sequence[str] = (),
    *,
    partial: bool = False,
    workers: int | None = None,
    console: Console | None = None,
) -> xr.DataTree:
    """Run the experiment's analyses again, or another protocol's.

    Parameters
    ----------
    store : Path
    protocol : Path, optional
        Protocol whose analyses are run; the experiment's own if not given.
    overrides : sequence of str
        Settings of that protocol to override.
    partial : bool
        Decode probes that have not recorded every subject from those that they have; the verdict
        says on how many it rests.
    workers : int, optional
        Processes at once; as many as there are cores if not given.
    console : rich.console.Console, optional
        Where to report; silent if not given.

    Raises
    ------
    UserError
        If a probe that an analysis needs has not recorded every subject, and that was not asked
        for.
    StoreError
        If another process writes into the store.
    """
    console = console or Console(quiet=True)
    with writer(store):
        experiment = resume(Store.open(store))
        source = load.protocol(protocol, overrides) if protocol else experiment.protocol
        _decode(experiment.store, experiment.protocol, source, workers, console, partial=partial)
        experiment.store.finish()
    tree = _opened(store, so_far)
    console.print(verdict_table(tree))
    return tree


def report(
    store: Path, output: Path | None = None, *, console: Console | None = None
) -> xr.DataTree:
    """Print the verdict, and write the report beside the store or where told.

    Raises
    ------
    UserError
        If no file can be written where told.
    MachineError
        If the disk is full or fails: the verdict is printed, and an older report is as it was. Or
        if something is damaged; what other protocols have added to the experiment is then left out
        of verdict and report, and named after them.
    """
    tree, left_out = _report(store, output, console or Console(quiet=True))
    raise_if_damaged(left_out, store)
    return tree


def _report(store: Path, output: Path | None, console: Console) -> tuple[xr.DataTree, list[Damage]]:
    """Report on an experiment but for damaged parts that other protocols have added to it."""
    if output is not None:
        check_in_folder(output)
        check_page(output)
    own, added = damaged_parts(store)
    raise_if_damaged((damage for part in own.values() for damage in part), store)
    tree = so_far(store, added)
    console.print(verdict_table(tree))
    page = output or store.with_suffix(".html")
    write_page(page, lambda: experiment_page(tree, check=_check_of(store)))
    say(console, f"Report: {page}")
    return tree, [damage for part in added.values() for damage in part]


def _opened(store: Path, opening: Callable[[Path, Collection[str]], xr.DataTree]) -> xr.DataTree:
    """Open an experiment after work on it; parts that are damaged are left out and named."""
    own, added = damaged_parts(store)
    parts = own | added
    _tell(damage for part in parts.values() for damage in part)
    return opening(store, parts)


def _tell(damage: Iterable[Damage]) -> None:
    """Warn of damage that the work just done has nothing to do with."""
    for each in damage:
        warnings.warn(f"left out: {each}", VirtuallabWarning, stacklevel=3)


def _check_of(path: Path) -> RecordingCheck:
    """Return what compares recordings with their checksums, where the store's records are there."""
    if not records_folder(path).is_dir():
        return unchecked
    store = Store.open(path)
    return lambda node, subject: store.check_values(node, [subject])


def _record(
    experiment: Experiment,
    probes: Mapping[str, Probe],
    *,
    workers: int | None,
    console: Console,
) -> None:
    store = experiment.store
    if probes:
        check_living(store)
    living = stages.living(store)
    recording.declare(
        store,
        experiment.subjects,
        experiment.anatomies,
        probes,
        visits=experiment.visits,
        seed=experiment.protocol.seed,
    )
    begin_anew(store, [stages.stage(name) for name in probes], console)
    already = sum(len(store.committed(stages.stage(name))) for name in probes)
    with counting(console, "recordings made", len(living) * len(probes), already) as advance:
        recording.record_probes(
            store,
            experiment.subjects,
            experiment.anatomies,
            probes,
            seed=experiment.protocol.seed,
            workers=workers or planning.cores(),
            advance=advance,
        )


def _decode(
    store: Store,
    protocol: Protocol,
    source: Protocol,
    workers: int | None,
    console: Console,
    *,
    partial: bool = False,
) -> None:
    """Run the analyses of ``source`` on what the probes of an experiment have recorded."""
    there = stages.probes_in(store)
    own = {*protocol.probes, *(name for name in source.probes if name in there)}
    found = readable(store, source.analyses, own, partial=partial)
    for each in found.left_out:
        say(
            console,
            f"{each} and is left out: {each.how_to_finish(store)}, or remove it with "
            f"`{recording.command(store, '--remove', each.probe)}`.",
        )
    decoding.decode(
        store,
        source.analyses,
        found,
        seed=protocol.seed,
        workers=workers or planning.cores(),
        console=console,
    )
