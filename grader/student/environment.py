"""Names that `hand_in` looks for in a notebook: removed names, and functions that read or write files."""

from __future__ import annotations

from collections.abc import Mapping

REMOVED: Mapping[str, str] = {
    "numpy.int": "int",
    "numpy.float": "float",
    "numpy.bool": "bool",
    "numpy.complex": "complex",
    "numpy.object": "object",
    "numpy.str": "str",
    "numpy.float_": "numpy.float64",
    "numpy.complex_": "numpy.complex128",
    "numpy.infty": "numpy.inf",
    "numpy.Inf": "numpy.inf",
    "numpy.NaN": "numpy.nan",
    "numpy.asscalar": "the method .item()",
    "numpy.product": "numpy.prod",
    "numpy.cumproduct": "numpy.cumprod",
    "numpy.sometrue": "numpy.any",
    "numpy.alltrue": "numpy.all",
    "numpy.row_stack": "numpy.vstack",
    "numpy.mat": "numpy.asmatrix",
    "numpy.asfarray": "numpy.asarray with dtype=float",
    "time.clock": "time.perf_counter",
}
"""Names that NumPy 2 or Python 3.11 no longer have -> what to use instead."""

READERS = frozenset(
    "load loadtxt genfromtxt fromfile read_csv read_excel read_json read_pickle read_parquet read_table "
    "imread loadmat load_npz mmread read_text read_bytes".split()
)
WRITERS = frozenset(
    "save savez savez_compressed savetxt savefig to_csv to_json to_pickle imsave save_npz".split()
)
