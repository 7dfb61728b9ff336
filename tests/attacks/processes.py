"""Attacks on other processes, on the walls themselves, and on the network."""

from attack import Attack

PLAIN = "def double(x):\n    return 2 * x"
CHILD = """
import subprocess, sys

def double(x):
    done = subprocess.run([sys.executable, "-c", "print(2)"], capture_output=True, text=True, check=True)
    return int(done.stdout) * x
"""
SOCKETPAIR = """
import socket

def double(x):
    a, b = socket.socketpair()
    a.send(b"2")
    return int(b.recv(1)) * x
"""
THREADS = """
from concurrent.futures import ThreadPoolExecutor

def double(x):
    with ThreadPoolExecutor(2) as pool:
        return sum(pool.map(lambda _: x, range(2)))
"""


def network(name: str, goal: str, body: str) -> Attack:
    layer = "a network namespace without anything; seccomp: no sockets but unix ones, and no connecting"
    steal = "import socket, ctypes, os\ndef steal():\n" + "\n".join(
        "    " + line for line in body.splitlines()
    )
    return Attack(name, goal, layer, SOCKETPAIR, steal)


def system_call(name: str, goal: str, number: str, arguments: str) -> Attack:
    steal = f"""
    import ctypes, platform
    def steal():
        number = {{"x86_64": {number}}}[platform.machine()]
        result = ctypes.CDLL(None, use_errno=True).syscall(number, {arguments})
        return "the-secret-2718281828: it worked" if result >= 0 else ctypes.get_errno()
    """
    return Attack(name, goal, "seccomp, no new privileges, no capabilities", PLAIN, steal)


ATTACKS = [
    Attack(
        "ends its process",
        "no verdict at all",
        "a call is a process of its own; its end is an outcome",
        "import atexit\natexit.register(lambda: None)\n\ndef double(x):\n    return 2 * x",
        double="import os\n\ndef double(x):\n    os._exit(0)",
    ),
    Attack(
        "stops itself",
        "a grader that waits for ever",
        "the wall clock outside",
        "import time\n\ndef double(x):\n    time.sleep(0.01)\n    return 2 * x",
        double="import os, signal\n\ndef double(x):\n    os.kill(os.getpid(), signal.SIGSTOP)\n    return 'woke'",
    ),
    Attack(
        "kills everything it can",
        "the end of the grader and of the others",
        "a process namespace; Landlock's signal scope and another user where there is none",
        CHILD,
        """
        import os, signal
        def steal():
            loot = []
            for pid in ({pid}, os.getppid(), 1):
                try:
                    if pid != os.getppid():
                        os.kill(pid, 0)
                        loot.append(pid)
                except OSError:
                    pass
            try:
                os.kill({pid}, signal.SIGKILL)
            except OSError:
                pass
            return loot
        """,
    ),
    Attack(
        "kills all processes with one signal",
        "the same with kill(-1)",
        "a process namespace; Landlock's signal scope and another user where there is none",
        CHILD,
        double="import os, signal\n\ndef double(x):\n    os.kill(-1, signal.SIGKILL)",
    ),
    Attack(
        "a fork bomb",
        "a machine without processes",
        "a limit on processes; everything in the box ends with the box",
        CHILD,
        double="""
        import os
        def double(x):
            for _ in range(100_000):
                try:
                    os.fork()
                except OSError:
                    pass
        """,
    ),
    Attack(
        "ten thousand threads",
        "the same with threads",
        "a limit on processes",
        THREADS,
        double="""
        import threading
        def double(x):
            wait = threading.Event()
            started = 0
            try:
                for _ in range(10_000):
                    threading.Thread(target=wait.wait, daemon=True).start()
                    started += 1
            except RuntimeError:
                return f"only {started}"
            return "the-secret-2718281828: ten thousand threads"
        """,
    ),
    Attack(
        "leaves a process behind",
        "to work on while others are graded",
        "every descendant ends with the box",
        CHILD,
        double="""
        import os, time
        def double(x):
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    time.sleep(1000)
                os._exit(0)
            return 0 * x
        """,
    ),
    Attack(
        "runs a program of the system with other rights",
        "root, by a setuid program",
        "no new privileges, nosuid mounts",
        CHILD,
        """
        import subprocess
        def steal():
            for command in (["su", "-c", "id"], ["sudo", "-n", "id"], ["mount"], ["pkexec", "id"], ["newgrp"]):
                try:
                    done = subprocess.run(command, capture_output=True, text=True, timeout=5, stdin=subprocess.DEVNULL)
                    if "uid=0" in done.stdout:
                        return "the-secret-2718281828: root"
                except OSError:
                    pass
        """,
    ),
    Attack(
        "becomes root",
        "user 0",
        "another user from the start, no capabilities",
        "import os\n\ndef double(x):\n    assert os.getuid() != 0\n    return 2 * x",
        """
        import os
        def steal():
            for become in (os.setuid, os.seteuid, os.setgid):
                try:
                    become(0)
                    return "the-secret-2718281828: root"
                except OSError:
                    pass
            held = [line for line in open("/proc/self/status") if line.startswith("CapEff")]
            return "the-secret-2718281828" if int(held[0].split()[1], 16) else held
        """,
    ),
    system_call("enters new namespaces", "capabilities in a namespace of its own", "272", "0x10000000"),
    system_call("traces a process", "the memory of another process", "101", "16, 1, 0, 0"),
    system_call("mounts", "a different view of the disk", "165", "b'none', b'/tmp', b'tmpfs', 0, None"),
    system_call(
        "opens io_uring", "system calls past the filter", "425", "4, ctypes.create_string_buffer(120)"
    ),
    system_call("loads bpf", "code in the kernel", "321", "0, ctypes.create_string_buffer(120), 120"),
    system_call("opens userfaultfd", "a foothold in the kernel", "323", "1"),
    system_call(
        "opens perf events",
        "what other processes do",
        "298",
        "ctypes.create_string_buffer(120), 0, -1, -1, 0",
    ),
    system_call("reads another process's memory", "the grader's memory", "310", "{pid}, None, 0, None, 0, 0"),
    system_call("adds a key", "a message in the kernel's key ring", "248", "b'user', b'k', b'v', 1, -3"),
    Attack(
        "forks into a namespace",
        "the same through clone",
        "seccomp looks at the flags of clone, and refuses clone3",
        CHILD,
        """
        import ctypes, os
        def steal():
            libc = ctypes.CDLL(None, use_errno=True)
            pid = libc.syscall(56, 0x10000000 | 17, None, None, None, None)
            if pid == 0:
                os._exit(0)
            again = libc.syscall(435, ctypes.create_string_buffer(88), 88)
            return "the-secret-2718281828" if pid > 0 or again > 0 else ctypes.get_errno()
        """,
    ),
    network(
        "calls the grader's machine by TCP",
        "a way out for what it saw",
        "s = socket.create_connection(('127.0.0.1', {port}), timeout=2)\ns.send(b'the-secret')\nreturn 'the-secret-2718281828: sent'",
    ),
    network(
        "sends a datagram",
        "the same by UDP, as a question to a name server",
        "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\ns.sendto(b'q', ('127.0.0.1', {port}))\nreturn 'the-secret-2718281828: sent'",
    ),
    network(
        "opens netlink",
        "the machine's network",
        "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)\nreturn 'the-secret-2718281828'",
    ),
    network(
        "calls an abstract socket",
        "a service of the host that has no file",
        "s = socket.socket(socket.AF_UNIX)\ns.settimeout(2)\ns.connect('\\0grader-test-{pid}')\nreturn 'the-secret-2718281828'",
    ),
    network(
        "asks a name server",
        "a way out by names",
        "found = socket.getaddrinfo('example.org', 80)\nreturn 'the-secret-2718281828', found",
    ),
]
