"""The store: one zarr v3 tree per experiment, one chunk per subject, one writer."""

from virtuallab.store.copy import copy_store
from virtuallab.store.create import create_store
from virtuallab.store.open import open_tree
from virtuallab.store.store import Store
from virtuallab.store.writer import writer

__all__ = ["Store", "copy_store", "create_store", "open_tree", "writer"]
