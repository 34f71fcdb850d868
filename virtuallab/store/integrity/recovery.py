"""Put right what a kill left of a store: only while nobody writes into it."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from virtuallab.errors import VirtuallabError
from virtuallab.store.files.atomic_replace import is_interrupted, put_back
from virtuallab.store.files.atomic_write import writing
from virtuallab.store.files.lock import InUse, locked
from virtuallab.store.integrity.commit_records import Records

_PATIENCE = 20  # looks, 50 ms apart, at a node that a writer is just replacing


def mend(path: Path) -> None:
    """Return nodes that a kill left aside, if nobody is writing; readers may call it.

    A node that a writer is replacing at this moment is waited for.
    """
    records = Records(path)
    for _ in range(_PATIENCE):
        if not is_interrupted(records.aside(path)):
            return
        try:
            with locked(path, records.folder, alone=True):
                repair(path)
        except InUse:
            time.sleep(0.05)
        except (OSError, VirtuallabError):  # nobody may write here: what there is can still be read
            return


def repair(path: Path) -> None:
    """Return nodes that a kill left aside; for whoever holds the lock."""
    records = Records(path)
    aside = records.aside(path)
    with writing(path):
        put_back(path, aside)
        shutil.rmtree(aside, ignore_errors=True)
        records.sweep()
