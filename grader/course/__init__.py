"""course: what a course writes, and how it is loaded and scored.

    from grader.course import Answer, Case, Misconception, Rewriting, Step, dense, shipped

is what the modules of a course import: inputs, known mistakes, other right ways to write the reference,
`dense`, which makes an array of what a function returned, and `shipped`, for functions among the inputs.
"""

from grader.course.misconception import Misconception
from grader.course.rewriting import Rewriting
from grader.course.shipped import shipped
from grader.numerics.arrays import dense
from grader.subjects import Answer, Case, Step

__all__ = ["Answer", "Case", "Misconception", "Rewriting", "Step", "dense", "shipped"]
