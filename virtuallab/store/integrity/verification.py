"""Detection of damage in a store: files are compared with their digests.

A damaged file is reported with the command that makes it anew, never as an error of a library that
failed to read it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from virtuallab.errors import MachineError, VirtuallabError
from virtuallab.store.files.digest import file_digest
from virtuallab.store.integrity.commit_records import CommitRecords
from virtuallab.store.integrity.damage import Damage, raise_if_damaged
from virtuallab.store.integrity.manifest import MANIFEST_FILE, Manifest
from virtuallab.store.integrity.ownership import mark_damage
from virtuallab.store.integrity.repair_command import (
    belongs_to_protocol,
    is_probe_or_analysis,
    repair_command,
)
from virtuallab.store.integrity.static_files import StaticFiles
from virtuallab.store.layout.chunk import find_chunk_file
from virtuallab.store.layout.location import records_folder
from virtuallab.store.layout.zarr_metadata import root_metadata
from virtuallab.vocabulary import subject_name


def read_manifest(store: Path) -> Manifest:
    """Return the manifest of a store; raise a MachineError if it is missing or damaged."""
    folder = records_folder(store)
    file = folder / MANIFEST_FILE
    try:
        return Manifest.read(folder)
    except (FileNotFoundError, ValueError, TypeError):
        raise MachineError(str(Damage.of(file, repair_command(store, "", {})))) from None
    except OSError as error:
        raise MachineError(f"{file} could not be read: {error.strerror}.") from error


def static_damage(store: Path, without: Collection[str] = ()) -> list[Damage]:
    """Return damaged metadata, coordinates and tables; see :func:`check_static`."""

    def compared(manifest: Manifest) -> list[Damage]:
        files = StaticFiles(store, manifest)
        nodes = [node for node in manifest.nodes if node not in without]
        return [*files.root_damage(), *files.damage(nodes)]

    manifest = read_manifest(store)
    damage = compared(manifest)
    if damage:
        # A command at work may have replaced a node between the two readings.
        now = read_manifest(store)
        if now != manifest:
            damage = compared(now)
    return damage


def check_static(store: Path, without: Collection[str] = ()) -> None:
    """Raise a MachineError if metadata, coordinates or tables are damaged, or the manifest is.

    A copy of ``NAME.zarr`` without its records cannot be compared, and is accepted as it is.

    Parameters
    ----------
    store : Path
    without : collection of str
        Nodes that are not compared.
    """
    if records_folder(store).is_dir():
        raise_if_damaged(static_damage(store, without), store)


def damaged_parts(store: Path) -> tuple[dict[str, list[Damage]], dict[str, list[Damage]]]:
    """Return damaged nodes of single probes and analyses, which a store can do without.

    Returns
    -------
    own, added : dict from node to list of Damage
        Those of the store's own protocol, and those that other protocols have added.

    Raises
    ------
    MachineError
        If the manifest is missing or damaged.
    """
    own: dict[str, list[Damage]] = {}
    added: dict[str, list[Damage]] = {}
    if records_folder(store).is_dir():
        manifest = read_manifest(store)
        files = StaticFiles(store, manifest)
        found = {node: list(files.damage([node])) for node in manifest.nodes}
        found |= {node: [files.unlisted_damage(node)] for node in files.unlisted()}
        for node, damage in found.items():
            if damage and is_probe_or_analysis(node):
                (own if belongs_to_protocol(node, manifest.attributes) else added)[node] = damage
    return own, added


def verify_bytes(store: Path) -> list[Damage]:
    """Return all damage of a store whose root or manifest is damaged.

    Only bytes are read, so values of subjects are compared by the digests of their files.
    """
    records = CommitRecords(store)
    try:
        manifest = Manifest.read(records.folder)
    except (OSError, ValueError, TypeError):
        command = repair_command(store, "", {})
        static = [Damage.of(records.folder / MANIFEST_FILE, command)]
        attributes = {}
        with suppress(OSError, ValueError, KeyError):
            attributes = root_metadata(store)["attributes"]
    else:
        files = StaticFiles(store, manifest)
        static = [
            *files.root_damage(),
            *files.damage(),
            *map(files.unlisted_damage, files.unlisted()),
        ]
        attributes = manifest.attributes
    stages = records.stages()
    chunks = (
        each
        for stage in stages
        for index, record in records.each(stage)
        if record is not None
        for node, digests in record["files"].items()
        for each in changed_chunks(store, node, index, digests, attributes)
    )
    damaged = [each for stage in stages for each in records.damage(stage)]
    return [*static, *mark_damage(records.folder, store), *damaged, *chunks]


def changed_chunks(
    store: Path,
    node: str,
    index: int,
    digests: Mapping[str, str | None],
    attributes: Mapping[str, Any],
) -> Iterator[Damage]:
    """Yield chunks of one subject whose files differ from their digests; no metadata is read."""
    for name, expected in digests.items():
        file = find_chunk_file(store / node / name, index)
        if file_digest(file) != expected:
            yield Damage.of(file, repair_command(store, node, attributes), subject_name(index))


@contextmanager
def reading(store: Path) -> Iterator[None]:
    """Name the damaged files where a library fails to read a store.

    Raises
    ------
    MachineError
        If a file of the store is damaged, or cannot be read. Errors that damage does not explain
        are passed on.
    """
    try:
        yield
    except (VirtuallabError, MemoryError):
        raise
    except Exception as error:  # what a damaged file raises depends on the file and the library
        check_static(store)
        if isinstance(error, OSError):
            raise MachineError(f"{store} could not be read: {error}.") from error
        if not records_folder(store).is_dir():
            first_line = [*str(error).strip().splitlines(), type(error).__name__][0]
            raise MachineError(
                f"{store} could not be read ({first_line}), and {records_folder(store)}, "
                "which would tell what is damaged, is not beside it. Copy both again."
            ) from error
        raise
