"""Digests of bytes, and small JSON files that contain the digest of their own content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from virtuallab.store.files.atomic_write import write_json

_DIGEST: Final = "digest"


def digest(content: bytes) -> str:
    """Return the BLAKE2b digest of bytes, 32 hexadecimal characters.

    >>> digest(b"")
    'cae66941d9efbd404e4d88758ea67670'
    """
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def file_digest(path: Path) -> str | None:
    """Return the digest of a file's bytes, or None if it is missing or cannot be read."""
    try:
        return digest(path.read_bytes())
    except OSError:
        return None


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON file that holds a mapping.

    Raises
    ------
    OSError, ValueError
        If the file cannot be read; if it holds anything else.
    """
    return _mapping(path.read_text(encoding="utf-8"))


def _mapping(text: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(content, dict):
        raise ValueError("not a mapping")  # noqa: TRY004  # one kind of error for every damage
    return content


def write_json_with_digest(path: Path, content: Mapping[str, Any]) -> None:
    """Write a mapping as JSON together with its digest, completely or not at all."""
    write_json(path, {**content, _DIGEST: digest(json.dumps(content, allow_nan=False).encode())})


def read_json_with_digest(path: Path) -> dict[str, Any]:
    """Read a file that :func:`write_json_with_digest` wrote, without the digest.

    Raises
    ------
    OSError, ValueError
        If the file cannot be read; if a single byte of it differs from what was written.
    """
    text = path.read_bytes().decode()
    content = _mapping(text)
    # Some changed bytes (1e5, 1E5) leave the content the same, so the text is compared too.
    if json.dumps(content) != text:
        raise ValueError("not the JSON that was written")
    if content.pop(_DIGEST, None) != digest(json.dumps(content).encode()):
        raise ValueError("the digest differs")
    return content
