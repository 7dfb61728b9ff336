"""Makes the notebook that students get from the instructor's: without solutions and outputs.

code:      ### BEGIN SOLUTION ... ### END SOLUTION      ->  raise NotImplementedError
markdown:  <!-- BEGIN SOLUTION --> ... <!-- END SOLUTION -->  ->  nothing
"""

from __future__ import annotations

import copy
import re
from typing import Any

from grader.errors import AssignmentError

CODE = re.compile(r"^([ \t]*)### BEGIN SOLUTION[ \t]*\n.*?^[ \t]*### END SOLUTION[ \t]*$", re.M | re.S)
TEXT = re.compile(r"\n*<!-- BEGIN SOLUTION -->.*?<!-- END SOLUTION -->", re.S)


def make_skeleton(notebook: Any) -> Any:
    """Return a copy of the instructor's notebook without solutions and outputs; cell ids stay."""
    skeleton = copy.deepcopy(notebook)
    for cell in skeleton.cells:
        if cell.cell_type == "code":
            cell.source = CODE.sub(r"\1raise NotImplementedError", cell.source)
            cell.outputs, cell.execution_count = [], None
        else:
            cell.source = TEXT.sub("", cell.source)
        if "BEGIN SOLUTION" in cell.source or "END SOLUTION" in cell.source:
            raise AssignmentError(f"the cell {cell.id!r} has a solution marker without its partner")
    return skeleton
