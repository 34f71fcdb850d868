"""Find damage in a store: every file is compared with the digest it was written with.

Nothing here trusts what it reads: a damaged file is a line that names it and the command that makes
it anew, never an error of a library that met it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from virtuallab.errors import MachineError, VirtuallabError
from virtuallab.store.files.atomic_write import write_json
from virtuallab.store.files.digest import digest, file_digest
from virtuallab.store.integrity import repair_command as remedy
from virtuallab.store.integrity.commit_records import Records, records_folder
from virtuallab.store.integrity.damage import CHANGED, MISSING, Damage, refuse, what_is_wrong
from virtuallab.store.integrity.manifest import FILE, Manifest, changed_files
from virtuallab.store.integrity.ownership import mark_damage
from virtuallab.store.layout.chunk import find_chunk
from virtuallab.store.layout.zarr_metadata import GATHERED, root_metadata
from virtuallab.vocabulary import subject_name


def manifest_of(store: Path) -> Manifest:
    """Read the manifest of a store.

    Raises
    ------
    MachineError
        If it is missing or damaged.
    """
    folder = records_folder(store)
    try:
        return Manifest.read(folder)
    except FileNotFoundError:
        found = MISSING
    except OSError as error:
        raise MachineError(f"{folder / FILE} could not be read: {error.strerror}.") from error
    except (ValueError, TypeError):
        found = CHANGED
    raise MachineError(str(Damage(folder / FILE, found, remedy.of_node(store, "", {}))))


def of_root(store: Path, manifest: Manifest) -> Iterator[Damage]:
    """Yield the root's metadata file if it is damaged."""
    file = store / "zarr.json"
    # Without the metadata of other nodes nothing is lost: readers then ask each node.
    alone = digest(json.dumps(manifest.root).encode())
    if file_digest(file) in (manifest.root_digest or alone, alone):
        return
    if manifest.root_digest is None and _is_changing(store, manifest):
        return
    yield Damage(file, what_is_wrong(file), remedy.of_node(store, "", _attributes(manifest)))


def _is_changing(store: Path, manifest: Manifest) -> bool:
    """Whether the root is as it may be while nodes are added: its own content is all there."""
    try:
        content = root_metadata(store)
    except (OSError, ValueError, TypeError):
        return False
    content.pop(GATHERED, None)
    return content == manifest.root


def of_nodes(
    store: Path, manifest: Manifest, nodes: Iterable[str] | None = None
) -> Iterator[Damage]:
    """Yield damaged metadata, coordinates and tables.

    Parameters
    ----------
    store : Path
    manifest : Manifest
    nodes : iterable of str, optional
        Only these, and the groups above them; every node if not given.
    """
    for node in manifest.nodes if nodes is None else with_parents(nodes):
        yield from _of_node(store, manifest, node)


def _of_node(store: Path, manifest: Manifest, node: str) -> Iterator[Damage]:
    for name, found in changed_files(store / node, manifest.versions(node)).items():
        command = remedy.of_node(store, node, _attributes(manifest))
        yield Damage(store / node / name, found, command)


def with_parents(nodes: Iterable[str]) -> list[str]:
    """Return nodes and the groups above them, each once, from the outermost in.

    >>> with_parents(["recordings/utah/mlp"])
    ['recordings', 'recordings/utah', 'recordings/utah/mlp']
    """
    paths = {
        "/".join(parts[: depth + 1])
        for parts in (node.split("/") for node in nodes)
        for depth in range(len(parts))
    }
    return sorted(paths)


def check_static(store: Path, without: Collection[str] = ()) -> None:
    """Refuse a store of which metadata, a coordinate or a table is damaged.

    A store whose records are not beside it (a copy of NAME.zarr alone) has nothing to be compared
    with, and is taken as it is.

    Parameters
    ----------
    store : Path
    without : collection of str
        Nodes that are not looked at.

    Raises
    ------
    MachineError
    """
    if records_folder(store).is_dir():
        refuse(static_damage(store, without), store)


def damaged_parts(store: Path) -> tuple[dict[str, list[Damage]], dict[str, list[Damage]]]:
    """Return damaged nodes of single probes and analyses: what can be left out of a store.

    Returns
    -------
    own : dict from node to list of Damage
        Those of the store's own protocol.
    added : dict from node to list of Damage
        Those that other protocols have added.

    Raises
    ------
    MachineError
        If the manifest is missing or damaged.
    """
    own: dict[str, list[Damage]] = {}
    added: dict[str, list[Damage]] = {}
    if records_folder(store).is_dir():
        manifest = manifest_of(store)
        attributes = _attributes(manifest)
        found = {node: list(_of_node(store, manifest, node)) for node in manifest.nodes}
        found |= {n: [not_listed(store, manifest, n)] for n in unlisted_nodes(store, manifest)}
        for node, damage in found.items():
            if damage and remedy.is_part(node):
                (own if remedy.is_own(node, attributes) else added)[node] = damage
    return own, added


def without_root(store: Path) -> list[Damage]:
    """Return what is damaged where the root or the manifest is.

    Nothing is read but bytes, so values of subjects are compared by the digests of their files.
    """
    records = Records(store)
    try:
        manifest = Manifest.read(records.folder)
    except (OSError, ValueError, TypeError):
        file = records.folder / FILE
        static = [Damage(file, what_is_wrong(file), remedy.of_node(store, "", {}))]
        attributes = {}
        with suppress(OSError, ValueError, TypeError, KeyError):
            attributes = root_metadata(store)["attributes"]
    else:
        static = [*of_root(store, manifest), *of_nodes(store, manifest)]
        static += unlisted(store, manifest)
        attributes = _attributes(manifest)
    scans = [records.scan(stage) for stage in records.stages()]
    damaged = [each for _, of_stage in scans for each in of_stage]
    chunks = (
        each
        for found, _ in scans
        for index, record in found.items()
        for node, files in record.get("files", {}).items()
        for each in of_files(store, node, index, files, attributes)
    )
    return [*static, *mark_damage(records.folder, store), *damaged, *chunks]


def of_files(
    store: Path,
    node: str,
    index: int,
    files: Mapping[str, str | None],
    attributes: Mapping[str, Any],
) -> Iterator[Damage]:
    """Yield damaged chunks of one subject, told by their bytes alone: no metadata is read.

    Parameters
    ----------
    store : Path
    node : str
    index : int
        Of the subject.
    files : mapping from variable to digest
    attributes : mapping
        Of the store's root.
    """
    for name, expected in files.items():
        file = find_chunk(store / node / name, index)
        if file_digest(file) != expected:
            command = remedy.of_node(store, node, attributes)
            yield Damage(file, what_is_wrong(file), command, subject_name(index))


def static_damage(store: Path, without: Collection[str] = ()) -> list[Damage]:
    """Return what is damaged of metadata, coordinates and tables; but for some nodes, if given.

    Raises
    ------
    MachineError
        If the manifest is missing or damaged.
    """

    def compared(manifest: Manifest) -> list[Damage]:
        nodes = [node for node in manifest.nodes if node not in without]
        return [
            *of_root(store, manifest),
            *(each for node in nodes for each in _of_node(store, manifest, node)),
        ]

    manifest = manifest_of(store)
    damage = compared(manifest)
    if damage:
        # A command at work may have replaced a node between the two readings.
        now = manifest_of(store)
        if now != manifest:
            damage = compared(now)
    return damage


@contextmanager
def reading(store: Path) -> Iterator[None]:
    """Say what is damaged where reading a store fails in a library.

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
            raise MachineError(
                f"{store} could not be read ({_first_line(error)}), and {records_folder(store)}, "
                "which would tell what is damaged, is not beside it. Copy both again."
            ) from error
        raise


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def mend_root(store: Path) -> None:
    """Make a damaged manifest or metadata file of the root anew, each from the other.

    A manifest made anew knows of no node: each is noted when it is declared or written again.

    Raises
    ------
    MachineError
        If both are damaged.
    """
    folder = records_folder(store)
    try:
        manifest = Manifest.read(folder)
    except (OSError, ValueError, TypeError):
        try:
            root = root_metadata(store)
            int(root["attributes"]["virtuallab_schema"])
        except (OSError, ValueError, TypeError, KeyError):
            raise MachineError(
                f"{store / 'zarr.json'} and {folder / FILE} are both damaged or missing, and each "
                "could be made from the other only. Copy the experiment again."
            ) from None
        root.pop(GATHERED, None)
        Manifest(folder / FILE, root=root).write()
        return
    if any(of_root(store, manifest)):
        manifest.root_digest = None
        manifest.write()
        write_json(store / "zarr.json", manifest.root)


def _attributes(manifest: Manifest) -> dict[str, Any]:
    found = manifest.root.get("attributes")
    return found if isinstance(found, dict) else {}


def unlisted(store: Path, manifest: Manifest) -> Iterator[Damage]:
    """Yield nodes that the manifest does not name: nothing tells whether they are damaged."""
    for node in unlisted_nodes(store, manifest):
        yield not_listed(store, manifest, node)


def unlisted_nodes(store: Path, manifest: Manifest) -> list[str]:
    """Return nodes with arrays that are in a store and not in its manifest."""
    nodes = {node.relative_to(store).as_posix() for node in _with_arrays(store)}
    return sorted(node for node in nodes if node not in manifest and node != ".")


def _with_arrays(folder: Path) -> Iterator[Path]:
    """Yield a folder and those below it that hold arrays; chunks, which are many, are not seen."""
    try:
        folders = [each for each in folder.iterdir() if each.is_dir() and not each.is_symlink()]
    except OSError:  # somebody's own folder, which may not be read
        return
    arrays = [each for each in folders if _is_array(each / "zarr.json")]
    if arrays:
        yield folder
    for each in folders:
        if each not in arrays:
            yield from _with_arrays(each)


def not_listed(store: Path, manifest: Manifest, node: str) -> Damage:
    """Return what is said of a node that the manifest does not name."""
    found = f"is not in {manifest.file}, so that damage in it would not be noticed"
    return Damage(store / node, found, remedy.of_node(store, node, _attributes(manifest)))


def _is_array(metadata: Path) -> bool:
    try:
        return bool(json.loads(metadata.read_bytes()).get("node_type") == "array")
    except (OSError, ValueError, AttributeError, RecursionError):
        return False
