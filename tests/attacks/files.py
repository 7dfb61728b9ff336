"""Attacks on what lies on the disk, in the environment and in memory."""

from attack import Attack

MOUNTS = "namespaces: what is not mounted cannot be read; Landlock where there are none"
PLAIN = "def double(x):\n    return 2 * x"
OWN_FILE = """
from pathlib import Path
assert Path("numbers.txt").read_text() == "1 2 3"

def double(x):
    return 2 * x
"""
SCRATCH = """
import tempfile, numpy as np

def double(x):
    with tempfile.TemporaryFile() as file:
        np.save(file, x)
        file.seek(0)
        return 2 * np.load(file)
"""


def reading(name: str, goal: str, path: str) -> Attack:
    steal = f"""
    def steal():
        return open("{path}", errors="replace").read()
    """
    return Attack(name, goal, MOUNTS, OWN_FILE, steal)


ATTACKS = [
    reading("reads the reference", "the solutions", "{reference}"),
    reading("reads the rubric", "the checks and tolerances", "{rubric}"),
    reading("reads another submission", "somebody else's work", "{other}"),
    reading("reads the database", "observations and scores", "{database}"),
    reading("reads a file of the host", "whatever lies there", "{host}"),
    reading("reads the passwords", "accounts of the host", "/etc/shadow"),
    Attack(
        "reads the disk itself",
        "every file at once",
        "device nodes: none of a disk is there",
        PLAIN,
        """
        import os
        def steal():
            found = [name for name in os.listdir("/dev") if name.startswith(("sd", "vd", "nvme", "dm-"))]
            return open("/dev/" + found[0], "rb").read(1 << 20)
        """,
    ),
    Attack(
        "searches the tree",
        "the secret, wherever it lies",
        MOUNTS,
        SCRATCH,
        """
        import os
        def steal():
            loot = []
            for root in ("/work", "/home", "/root", "/tmp", "/var", "/srv", "/opt", "/mnt", "/run"):
                for folder, folders, files in os.walk(root):
                    folders[:] = [f for f in folders if f not in (".venv", "versions", "site-packages", ".git")]
                    for name in files:
                        try:
                            text = open(os.path.join(folder, name), errors="replace").read(1 << 16)
                        except OSError:
                            continue
                        if "the-secret" in text:
                            loot.append(text)
            return loot
        """,
    ),
    Attack(
        "reads the environment",
        "tokens in environment variables",
        "the environment is the box's own",
        "import os\n\ndef double(x):\n    assert os.environ['HOME']\n    return 2 * x",
        """
        import os
        def steal():
            loot = dict(os.environ)
            for pid in os.listdir("/proc"):
                if pid.isdigit():
                    try:
                        loot[pid] = open(f"/proc/{pid}/environ").read()
                    except OSError:
                        pass
            return loot
        """,
    ),
    Attack(
        "walks the frames",
        "the expected value in a caller's variable",
        "no process that runs a student's code holds an expected value",
        "import sys\n\ndef double(x):\n    sys._getframe(0)\n    return 2 * x",
        """
        import sys
        def steal():
            frame, loot = sys._getframe(0), []
            while frame is not None:
                loot.append({name: repr(value)[:20000] for name, value in frame.f_locals.items()})
                frame = frame.f_back
            return loot
        """,
    ),
    Attack(
        "searches the memory",
        "the secret among all objects and modules",
        "no process that runs a student's code has ever loaded a secret",
        "import gc\n\ndef double(x):\n    gc.collect()\n    return 2 * x",
        """
        import gc, sys
        def steal():
            texts = [o for o in gc.get_objects() if isinstance(o, (str, bytes, dict, list))]
            found = [repr(o)[:2000] for o in texts if "secret-27" + "18" in repr(o)[:100000]]
            return found, [name for name in sys.modules if "reference" in name or "rubric" in name]
        """,
    ),
    Attack(
        "reads inherited descriptors",
        "a file or socket that was left open",
        "every descriptor but the box's own is closed",
        SCRATCH,
        """
        import os
        def steal():
            loot = []
            for fd in range(3, 300):
                try:
                    loot.append((fd, os.readlink(f"/proc/self/fd/{fd}"), os.pread(fd, 100000, 0)))
                except OSError:
                    pass
            return loot
        """,
    ),
    Attack(
        "reads other processes",
        "the grader's memory and files through /proc",
        "namespaces: no other process is visible; Landlock and ownership where there are none",
        "import os\n\ndef double(x):\n    assert os.path.exists('/proc/self/status')\n    return 2 * x",
        """
        import os
        def steal():
            loot = []
            for pid in ("{pid}", str(os.getppid()), "1"):
                for name in ("environ", "maps", "mem", "cmdline", "root/etc/hostname", "cwd/rubrics/tiny.yaml"):
                    try:
                        loot.append(open(f"/proc/{pid}/{name}", "rb").read(100000))
                    except OSError:
                        pass
            return loot
        """,
    ),
    Attack(
        "escapes by a link",
        "a file outside, through a link in its own directory",
        MOUNTS,
        "import os\nos.symlink('numbers.txt', 'link')\n\ndef double(x):\n    return 2 * x",
        """
        import os
        def steal():
            if not os.path.islink("way"):
                os.symlink("{host}", "way")
            return open("way").read()
        """,
    ),
    Attack(
        "writes to the system",
        "a changed interpreter for the next student",
        "a read-only root; Landlock",
        SCRATCH,
        """
        import os, numpy
        def steal():
            loot = []
            for place in (os.path.dirname(numpy.__file__), os.path.dirname(os.__file__), "/usr/lib", "/etc", "/"):
                try:
                    open(os.path.join(place, "left_behind.py"), "w").write("print('the-secret-2718281828')")
                    loot.append("the-secret-2718281828 was left in " + place)
                except OSError:
                    pass
            return loot
        """,
    ),
    Attack(
        "leaves a file for the next student",
        "an answer passed on",
        "a private directory that ends with the box",
        SCRATCH,
        """
        import glob
        PLACES = ("/tmp/message", "/dev/shm/message", "/var/tmp/message", "message")
        def steal():
            found = glob.glob("/tmp/**/message", recursive=True) + list(PLACES)
            loot = []
            for place in found:
                try:
                    loot.append(open(place).read())
                    open(place, "w").write("by {name}")
                except OSError:
                    pass
            for place in PLACES:
                try:
                    open(place, "w").write("by {name}")
                except OSError:
                    pass
            return ["the-secret-2718281828 " + text for text in loot if text not in ("", "by {name}")]
        """,
    ),
]
