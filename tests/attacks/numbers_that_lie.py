"""Attacks on the judge: objects that lie, patched libraries, bombs in what is returned."""

from attack import Attack

VALUES = "only plain arrays leave the box; whatever class they had is gone"
SUBCLASS = """
import numpy as np

class Vector(np.ndarray):
    pass

def double(x):
    return (2 * np.asarray(x)).view(Vector)
"""
PLAIN = "def double(x):\n    return 2 * x"


def lying(
    name: str, goal: str, double: str, benign: str = SUBCLASS, layer: str = VALUES, earns: float = 0.0
) -> Attack:
    return Attack(name, goal, layer, benign, double=double, earns=earns)


ATTACKS = [
    lying(
        "equals everything",
        "a comparison that is always true",
        """
        class Right:
            def __eq__(self, other): return True
            def __sub__(self, other): return 0
            def __array__(self, *a, **k): raise TypeError
            def __float__(self): return 0.0
            def __abs__(self): return 0
            def __le__(self, other): return True
        def double(x):
            return Right()
        """,
    ),
    lying(
        "an array that overrides functions",
        "np.allclose answers what the student wants",
        """
        import numpy as np
        class Liar(np.ndarray):
            def __array_function__(self, *a, **k): return True
            def __array_ufunc__(self, *a, **k): return np.bool_(True)
            def __eq__(self, other): return np.bool_(True)
        def double(x):
            return np.zeros_like(x).view(Liar)
        """,
    ),
    lying(
        "pickles a command",
        "code that runs where the result is unpacked",
        """
        import os
        class Bomb:
            def __reduce__(self): return (os.system, ("touch {host}.hacked",))
        def double(x):
            return Bomb()
        """,
        benign="import pickle\n\ndef double(x):\n    return pickle.loads(pickle.dumps(2 * x))",
    ),
    lying(
        "an object array",
        "objects inside an array",
        "import numpy as np\nclass R:\n    def __float__(self): raise ValueError\ndef double(x):\n    return np.array([R(), R()], dtype=object)",
        benign="import numpy as np\n\ndef double(x):\n    return np.array([2 * v for v in x], dtype=object)",
    ),
    lying(
        "returns NaN",
        "NaN is neither larger nor smaller",
        "import numpy as np\ndef double(x):\n    return np.full_like(x, np.nan)",
    ),
    lying(
        "returns infinity",
        "a difference that is NaN",
        "import numpy as np\ndef double(x):\n    return np.full_like(x, np.inf)",
    ),
    lying(
        "returns a single number for many",
        "broadcasting in the comparison",
        "def double(x):\n    return 2 * float(x[0]) if len(x) > 1 else 0.5",
    ),
    lying("returns nothing", "no output counts as right", "def double(x):\n    pass"),
    lying(
        "patches numpy",
        "comparisons that succeed",
        """
        import builtins, numpy as np
        for name in ("allclose", "array_equal", "isclose", "all", "isfinite"):
            setattr(np, name, lambda *a, **k: True)
        np.testing.assert_allclose = lambda *a, **k: None
        builtins.abs = lambda value: 0
        builtins.isinstance = lambda *a: True
        def double(x):
            return 0 * x
        """,
        benign="import numpy as np\nnp.set_printoptions(precision=2)\n\ndef double(x):\n    return np.multiply(2, x)",
        layer="the judge is another process",
    ),
    lying(
        "patches what sends the result",
        "a wire format of its own",
        """
        import sys
        def double(x):
            for name, module in list(sys.modules.items()):
                if name.endswith("wire"):
                    module.encode = lambda *a, **k: b"GRW1" + b"\\xff" * 100
            return 0 * x
        """,
        benign=PLAIN,
        layer="what arrives is decoded with a closed set of types; what is malformed is an outcome",
    ),
    lying(
        "speaks in the place of others",
        "forged results on every descriptor",
        """
        import os, struct
        PASSED = b'{"kind":"passed","points":3}'
        def double(x):
            for fd in range(0, 64):
                for data in (struct.pack("<4sIQ", b"FRAM", 0, len(PASSED)) + PASSED, b"FRAM" + b"\\xff" * 12):
                    try:
                        os.write(fd, data)
                    except OSError:
                        pass
            return 0 * x
        """,
        benign="import os, sys\n\ndef double(x):\n    print('hello')\n    os.write(1, b'hello')\n    sys.stdout.flush()\n    return 2 * x",
        layer="a verdict or score from inside the box is no evidence; only values count",
    ),
    lying(
        "a million levels deep",
        "a stack overflow in the grader",
        "def double(x):\n    deep = []\n    for _ in range(1_000_000):\n        deep = [deep]\n    return deep",
        benign="def double(x):\n    return [2 * float(v) for v in x]",
        layer="a limit on depth",
    ),
    lying(
        "a list that contains itself",
        "an endless message",
        "def double(x):\n    loop = []\n    loop.append(loop)\n    return loop",
        layer="a limit on depth",
    ),
    lying(
        "a huge sparse matrix",
        "a few bytes that become petabytes",
        "from scipy.sparse import csr_matrix\ndef double(x):\n    return csr_matrix((2 ** 31, 2 ** 31))",
        benign="from scipy.sparse import csr_matrix\n\ndef double(x):\n    return csr_matrix(2 * x).toarray()[0]",
        layer="a limit on what is made dense",
    ),
    lying(
        "a broadcast view",
        "a few bytes that become gigabytes",
        "import numpy as np\ndef double(x):\n    return np.broadcast_to(np.zeros(1), (10 ** 6, 10 ** 6))",
        layer="a limit on the size of a result",
    ),
    lying(
        "an integer of a million digits",
        "a conversion that takes for ever",
        "def double(x):\n    return 10 ** 1_000_000",
        benign="def double(x):\n    return 2 ** 1 * x",
        layer="a limit on integers",
    ),
    lying(
        "changes its input",
        "an expected value that follows",
        "def double(x):\n    x *= 3\n    return x",
        benign=PLAIN,
        layer="the judge has its own copy of the inputs",
    ),
    lying(
        "behaves while nobody looks",
        "right answers only for the grader's own tests",
        "import sys\ndef double(x):\n    return 2 * x if 'pytest' in sys.modules or 'grader' in sys.modules else 0 * x",
        benign=PLAIN,
        layer="the notebook and the graded calls run in the same kind of box, with nothing of the grader in it",
    ),
    lying(
        "draws the right answer from the name of the test",
        "a verdict through an exception",
        "class Passed(Exception):\n    points = 3\n    fraction = 1.0\n    kind = 'passed'\ndef double(x):\n    raise Passed('passed')",
        benign="def double(x):\n    try:\n        raise ValueError\n    except ValueError:\n        return 2 * x",
        layer="an exception is an outcome",
    ),
    lying(
        "hides that it changed its input",
        "the point for an input that stays as it was",
        """
        import sys
        def double(x):
            frame = sys._getframe()
            while frame is not None:
                call = frame.f_locals.get("call")
                if isinstance(call, dict) and call.get("echo"):
                    call["args"] = tuple(a.copy() for a in call["args"])
                frame = frame.f_back
            out = 2 * x
            x *= 3
            return out
        """,
        benign="import sys\ndef double(x):\n    x, out = x.copy(), 2 * x\n    x *= 3\n    return out",
        layer="the process that compares the inputs runs no code of a student",
        earns=2.0,
    ),
    lying(
        "an integer that its own encoder lets pass",
        "a result that cannot be kept",
        """
        import sys
        def double(x):
            for name, module in list(sys.modules.items()):
                if name.endswith("wire"):
                    module._int = lambda value: value
            return 10 ** 1000
        """,
        benign="def double(x):\n    return int(10 ** 100) // 10 ** 100 * 2 * x",
        layer="what is decoded keeps to the limits of encoding",
    ),
    lying(
        "half a character in an exception",
        "text that no database takes",
        'def double(x):\n    raise ValueError("bad \\ud83d")',
        benign="def double(x):\n    try:\n        raise ValueError('🙂')\n    except ValueError:\n        return 2 * x",
        layer="text from the box is made valid where it enters",
    ),
    lying(
        "two percent off in half precision",
        "a tolerance as coarse as the dtype",
        "import numpy as np\ndef double(x):\n    return (2.04 * x).astype(np.float16)",
        benign="import numpy as np\ndef double(x):\n    return (2 * x).astype(np.float32)",
        layer="half precision is judged as single",
        earns=1.46,  # as much as the same numbers in double precision: they are close
    ),
    lying(
        "complex numbers",
        "an exception in the judge",
        "def double(x):\n    return 3 * x + 0j",
        benign="def double(x):\n    return 2 * x + 0j",
        layer="what trips the judge costs one decision",
    ),
]
