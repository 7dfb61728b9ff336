"""Reads reference/<assignment>/survivors.yaml: the mutants that no check catches, each with the reason why.

- mutant: "area: was -> becomes"      as `grader verify` prints it
  equivalent: true                             whether it computes the same as the reference
  reason: The singular values are never negative.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from grader.errors import AssignmentError

FILE = "survivors.yaml"


class Survivor(BaseModel):
    """One mutant that may survive."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    mutant: str
    equivalent: bool
    reason: str


def load_survivors(folder: Path) -> Mapping[str, Survivor]:
    """Return the survivors by mutant, empty without a file; raise AssignmentError if the file is wrong."""
    path = folder / FILE
    if not path.is_file():
        return {}
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8")) or []
        survivors = TypeAdapter(list[Survivor]).validate_python(entries)
    except (yaml.YAMLError, ValidationError) as error:
        raise AssignmentError(f"{path}: {error}") from error
    return {survivor.mutant: survivor for survivor in survivors}
