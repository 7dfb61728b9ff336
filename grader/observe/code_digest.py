"""A digest of our own code: what it depends on is kept only as long as the code is the same."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parent.parent


@cache
def code_digest(parts: tuple[str, ...]) -> str:
    """Return a digest of files and packages of our own code."""
    digest = hashlib.sha256()
    for part in parts:
        path = PACKAGE / part
        for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
            content = file.read_bytes()
            digest.update(f"{file.relative_to(PACKAGE)} {len(content)} ".encode() + content)
    return digest.hexdigest()
