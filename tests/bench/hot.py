#!/usr/bin/env python3
"""Finds the functions that a daemon runs day by day, so that the linker can lay them side by side.

    hot.py find RELEASE > host/hot-functions.txt    runs the release build with many checks, and prints what they went through
    hot.py order BINARY NAMES > ORDER               the names that BINARY has for those functions, for lld

`find` puts a breakpoint on each function of a running daemon and takes it away again at its first hit; x86-64 only. The
names it prints are free of the hashes that differ between builds, and `order` puts those of the build at hand back.
"""

import ctypes
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import bench

SEIZE, INTERRUPT, CONT, GETREGS, SETREGS = 0x4206, 0x4207, 7, 12, 13
TRACE_CLONE, EVENT_STOP = 8, 128
RIP = 16
# The daemon gives its code back 65 seconds after its start, and the breakpoints with it.
WARM, WATCH = 6, 57

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


def plain(name: str) -> str:
    """The name without what differs from build to build: the hash of the old mangling, the crates' ids of the new one."""
    name = re.sub(r"17h[0-9a-f]{16}E.*$", "E", name)
    return re.sub(r"Cs[0-9A-Za-z]+_", "Cs_", re.sub(r"\.llvm\.\d+$", "", name))


def functions(binary: Path) -> dict[int, str]:
    """All functions of the binary by their addresses in the file."""
    lines = subprocess.run(["readelf", "-sW", binary], check=True, capture_output=True, text=True).stdout.splitlines()
    words = (line.split() for line in lines)
    return {int(it[1], 16): it[7] for it in words if len(it) >= 8 and it[3] == "FUNC" and it[6] != "UND"}


def text(pid: int, binary: Path) -> tuple[int, int, int]:
    """Where the binary is loaded, and where its code begins and ends."""
    maps = [line.split() for line in Path(f"/proc/{pid}/maps").read_text().splitlines() if line.endswith(str(binary))]
    code = next(line for line in maps if line[1] == "r-xp")
    start, end = (int(it, 16) for it in code[0].split("-"))
    return int(maps[0][0].split("-")[0], 16), start, end


class Tracer:
    """Breakpoints in all threads of one process."""

    def __init__(self, pid: int, binary: Path):
        self.pid = pid
        for thread in os.listdir(f"/proc/{pid}/task"):
            self.call(SEIZE, int(thread), TRACE_CLONE)
            self.call(INTERRUPT, int(thread))
            os.waitpid(int(thread), 0x40000000)
        base, start, end = text(pid, binary)
        self.memory = os.open(f"/proc/{pid}/mem", os.O_RDWR)
        code = bytearray(os.pread(self.memory, end - start, start))
        self.places = {base + at: name for at, name in functions(binary).items() if start <= base + at < end}
        self.original = {at: code[at - start] for at in self.places}
        for at in self.places:
            code[at - start] = 0xCC
        os.pwrite(self.memory, code, start)
        self.hit: dict[int, str] = {}
        for thread in os.listdir(f"/proc/{pid}/task"):
            self.call(CONT, int(thread))

    def call(self, request: int, thread: int, data=0):
        if libc.ptrace(request, thread, None, data) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

    def run(self, seconds: float):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            thread, status = os.waitpid(-1, 0x40000000 | os.WNOHANG)
            if thread == 0:
                time.sleep(0.0005)
                continue
            if os.WIFSTOPPED(status):
                stop = os.WSTOPSIG(status)
                ours = stop == signal.SIGTRAP
                if ours and status >> 16 == 0:
                    ours = self.step_over(thread)
                self.call(CONT, thread, 0 if ours or status >> 16 else stop)

    def step_over(self, thread: int) -> bool:
        registers = (ctypes.c_ulonglong * 27)()
        self.call(GETREGS, thread, ctypes.addressof(registers))
        at = registers[RIP] - 1
        if at not in self.places:
            return False
        os.pwrite(self.memory, bytes([self.original[at]]), at)
        self.hit[at] = self.places[at]
        registers[RIP] = at
        self.call(SETREGS, thread, ctypes.addressof(registers))
        return True


def configuration(folder: Path, http: int, https: int) -> Path:
    """The kinds of checks that most people have."""
    lines = [f"data_dir: {folder}/data", "history: { commit_every: 5s }", "dashboard: off", "defaults: { interval: 10s }", "services:"]
    for number in range(20):
        settings = f'url: "https://127.0.0.1:{https}/{number}", ca_file: {folder}/ca.pem'
        lines.append(f"  - {{ name: Secret {number}, zone: local, check: http, settings: {{ {settings} }} }}")
        lines.append(f'  - {{ name: Page {number}, zone: local, url: "http://127.0.0.1:{http}/{number}" }}')
        lines.append(f'  - {{ name: Port {number}, zone: local, check: tcp, settings: {{ host: 127.0.0.1, port: {http} }} }}')
    lines.append("  - { name: Root disk, zone: local, check: disk, settings: { mount: /, warn: 99%, critical: 100% } }")
    lines.append("  - { name: Machine, zone: local, check: system }")
    path = folder / "services.yaml"
    path.write_text("\n".join(lines) + "\n")
    return path


def find(release: Path):
    binary = (release / "pihook").resolve()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        http, https = bench.Web(folder, False), bench.Web(folder, True)
        config = configuration(folder, http.port, https.port)
        # The first start compiles the plugins.
        for seconds in (20, WARM):
            daemon = subprocess.Popen([binary, "run", "--config", config], stderr=subprocess.DEVNULL)
            time.sleep(seconds)
            if seconds != WARM:
                bench.stop(daemon)
        tracer = Tracer(daemon.pid, binary)
        tracer.run(WATCH)
        daemon.kill()
        http.stop()
        https.stop()
    for name in dict.fromkeys(plain(name) for name in tracer.hit.values()):
        print(name)


def order(binary: Path, names: Path):
    wanted = {name: at for at, name in enumerate(names.read_text().split())}
    found = ((wanted[plain(name)], name) for name in functions(binary).values() if plain(name) in wanted)
    for _, name in sorted(set(found)):
        print(name)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["find", release]:
            find(Path(release))
        case ["order", binary, names]:
            order(Path(binary), Path(names))
        case _:
            sys.exit(__doc__)
