"""Attacks on time, memory, disk and the reader's patience; and on the notebook's kernel."""

from attack import Attack

PLAIN = "def double(x):\n    return 2 * x"


def greedy(name: str, goal: str, layer: str, double: str, benign: str = PLAIN) -> Attack:
    return Attack(name, goal, layer, benign, double=double)


def in_notebook(name: str, goal: str, layer: str, cell: str, benign: str = PLAIN) -> Attack:
    """An attack by the notebook's run; its function is wrong and nothing else."""
    return Attack(name, goal, layer, benign, double="def double(x):\n    return 0 * x\n" + cell)


ATTACKS = [
    greedy(
        "an endless loop",
        "a grader that waits",
        "a limit on processor time",
        "def double(x):\n    while True:\n        pass",
    ),
    greedy(
        "an endless loop in C",
        "a loop that no signal handler of Python interrupts",
        "SIGXCPU and SIGKILL need no cooperation",
        "import signal\nfor s in (signal.SIGINT, signal.SIGALRM, signal.SIGTERM, signal.SIGXCPU):\n    signal.signal(s, signal.SIG_IGN)\ndef double(x):\n    return pow(7, 10 ** 9)",
        benign="import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n\ndef double(x):\n    return 2 * x",
    ),
    greedy(
        "sleeps for ever",
        "a grader that waits",
        "the wall clock outside",
        "import time\ndef double(x):\n    time.sleep(10 ** 6)",
    ),
    greedy(
        "takes all memory",
        "a machine that swaps",
        "a limit on address space",
        "import numpy as np\ndef double(x):\n    return sum(np.ones(10 ** 8).sum() for _ in [0]) + len([np.ones(10 ** 8) for _ in range(100)])",
        benign="import numpy as np\n\ndef double(x):\n    np.ones(10 ** 6)\n    return 2 * x",
    ),
    greedy(
        "takes the processor from its neighbours",
        "others that run out of time",
        "a control group with the weight of every other; limits on processor time, not on time",
        """
import os, time
def double(x):
    for _ in range(32):
        if os.fork() == 0:
            while True:
                pass
    time.sleep(1)
    return 0 * x
""",
        benign="""
import threading
def double(x):
    threads = [threading.Thread(target=sum, args=(range(10 ** 6),)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return 2 * x
""",
    ),
    greedy(
        "holds memory in sockets",
        "a machine without memory",
        "a control group counts what the kernel holds; without one, limits on processes and descriptors",
        """
import os, socket, time
def double(x):
    held = []
    try:
        while True:
            held += socket.socketpair()
            held[-1].setblocking(False)
            try:
                while True:
                    held[-1].send(bytes(1 << 15))
            except BlockingIOError:
                pass
    except OSError:
        return 0 * x
""",
        benign="""
import socket
def double(x):
    one, other = socket.socketpair()
    one.sendall(bytes(1 << 10))
    other.recv(1 << 10)
    return 2 * x
""",
    ),
    greedy(
        "takes memory in many processes",
        "the same past the limit of one process",
        "the memory of a box is watched as a whole",
        """
import os, time
def double(x):
    for _ in range(40):
        if os.fork() == 0:
            held = bytearray(200 << 20)
            held[::4096] = b"1" * len(held[::4096])
            time.sleep(100)
            os._exit(0)
    time.sleep(3)
    return 0 * x
""",
    ),
    greedy(
        "fills the disk",
        "a full host",
        "a private file system of limited size; a limit on file size",
        """
def double(x):
    written = 0
    try:
        for number in range(64):
            with open(f"big{number}", "wb") as file:
                for _ in range(16):
                    file.write(bytes(16 << 20))
                    written += 16
    except OSError:
        return f"only {written} MB"
    return "the-secret-2718281828: 16 GB"
""",
        benign="import numpy as np\n\ndef double(x):\n    np.save('mine.npy', 2 * x)\n    return np.load('mine.npy')",
    ),
    greedy(
        "makes a million files",
        "a host without inodes",
        "a limit on inodes",
        """
def double(x):
    made = 0
    try:
        for number in range(1_000_000):
            open(f"f{number}", "w").close()
            made += 1
    except OSError:
        return f"only {made}"
    return "the-secret-2718281828"
""",
    ),
    in_notebook(
        "prints without end",
        "a notebook of gigabytes",
        "a limit on what a cell may display",
        "for _ in range(200):\n    print('x' * 100_000)",
        benign="def double(x):\n    print('x' * 1000)\n    return 2 * x\nprint('y' * 100_000)",
    ),
    in_notebook(
        "ends the kernel",
        "a run that never ends",
        "a dead kernel ends the run, not the grading",
        "import os\nos._exit(1)",
    ),
    in_notebook(
        "forges messages of the kernel",
        "a result that the kernel never had",
        "what a kernel displays is no evidence",
        """
try:
    from ipykernel.kernelapp import IPKernelApp
    kernel = IPKernelApp.instance().kernel
    for kind in ("execute_reply", "status", "shutdown_reply"):
        kernel.session.send(kernel.iopub_socket, kind, {"status": "ok", "points": 3, "execution_state": "idle"})
except Exception as error:
    print(error)
""",
    ),
    in_notebook(
        "displays hostile HTML",
        "a script in the reader's browser",
        "outputs are sanitized, and the page's policy allows no script",
        "from IPython.display import HTML, Javascript, display\ndisplay(HTML('<script>alert(1)</script><img src=x onerror=alert(2)>'), Javascript('alert(3)'))",
        benign="from IPython.display import HTML, display\ndisplay(HTML('<b>fine</b>'))\n\ndef double(x):\n    return 2 * x",
    ),
    in_notebook(
        "writes into the socket directory",
        "the host's disk, through the one place that is shared",
        "Landlock: that directory takes sockets and no files",
        """
import glob, os
for place in glob.glob("/tmp/**/", recursive=True) + glob.glob(os.environ.get("TMPDIR", "/tmp") + "/*/"):
    try:
        open(place + "message", "w").write("left before")
    except OSError:
        pass
""",
    ),
]
