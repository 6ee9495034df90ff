#!/usr/bin/env python3
"""Measures a release build of PiHook on this machine: CPU, memory and bytes written per check, and time to the first check.

All figures come from /proc of the daemon and from its own database. docs/performance.md shows them and says which command
gave them. Nothing but loopback is touched.
"""

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import signal
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\nContent-Type: text/plain\r\n\r\nok\n"


class Web:
    """A server in a process of its own, so that its CPU time is not the daemon's."""

    def __init__(self, folder: Path, tls: bool):
        self.first = folder / ("first-https" if tls else "first-http")
        arguments = [sys.executable, __file__, "--serve", str(self.first)]
        if tls:
            make_certificate(folder)
            arguments += ["--certificate", str(folder)]
        self.process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def stop(self):
        self.process.terminate()
        self.process.wait()


def make_certificate(folder: Path):
    if (folder / "server.pem").exists():
        return
    run = lambda *words: subprocess.run(words, check=True, cwd=folder, capture_output=True)
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    run("openssl", "req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.pem", "-days", "30", "-subj", "/CN=bench CA")
    run("openssl", "req", *curve, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost")
    (folder / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n")
    run("openssl", "x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
        "-out", "server.pem", "-days", "30", "-extfile", "names")


async def serve(first: Path, certificate: str | None):
    async def answer(reader, writer):
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            if not first.exists():
                first.write_text(str(time.monotonic()))
            writer.write(RESPONSE)
            await writer.drain()
        writer.close()

    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{certificate}/server.pem", f"{certificate}/server.key")
    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def proc(pid: int) -> dict:
    stat = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    status = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line)
    io = dict(line.split(": ") for line in Path(f"/proc/{pid}/io").read_text().splitlines())
    kib = lambda name: int(status[name].split()[0])
    return {
        "cpu": (int(stat[11]) + int(stat[12])) / TICKS,
        "rss": kib("VmRSS") / 1024,
        "anonymous": kib("RssAnon") / 1024,
        "written": int(io["write_bytes"]),
        "threads": int(status["Threads"]),
    }


def configuration(folder: Path, port: int, tls: bool, services: int, interval: str) -> Path:
    scheme = "https" if tls else "http"
    lines = [
        f"data_dir: {folder}/data",
        "dashboard: off",
        # So that what is counted in the database lags little behind.
        "history: { commit_every: 5s }",
        f"defaults: {{ interval: {interval} }}",
        "services:",
    ]
    for number in range(services):
        settings = f'url: "{scheme}://127.0.0.1:{port}/{number}"'
        if tls:
            settings += f", ca_file: {folder}/ca.pem"
        lines.append(f"  - {{ name: Service {number}, zone: local, check: http, settings: {{ {settings} }} }}")
    path = folder / "services.yaml"
    path.write_text("\n".join(lines) + "\n")
    return path


def checks(folder: Path) -> tuple[int, int]:
    with contextlib.closing(sqlite3.connect(f"file:{folder}/data/pihook.db?mode=ro", uri=True)) as db:
        return db.execute("SELECT count(*), coalesce(sum(status <> 'up'), 0) FROM check_log WHERE \"check\" <> ''").fetchone()


def stop(daemon: subprocess.Popen):
    daemon.send_signal(signal.SIGTERM)
    daemon.wait(timeout=15)


def start_up(binary: Path, config: Path, web: Web, runs: int) -> list[float]:
    """From exec to the first request at the server, in milliseconds, with the plugins compiled already."""
    figures = []
    for _ in range(runs + 1):
        web.first.unlink(missing_ok=True)
        started = time.monotonic()
        daemon = subprocess.Popen([binary, "run", "--config", config], stderr=subprocess.DEVNULL)
        deadline = started + 60
        while not (web.first.exists() and web.first.read_text()) and time.monotonic() < deadline:
            time.sleep(0.002)
        figures.append((float(web.first.read_text()) - started) * 1000)
        stop(daemon)
    return figures[1:]


def watch(pid: int, seconds: int, count) -> tuple[dict, dict, list[dict], float]:
    """Its /proc before, after and in between, and how many checks `count` saw done meanwhile."""
    time.sleep(min(30, seconds / 4))
    before, done = proc(pid), count()
    seen = [before]
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(min(10, max(0.1, end - time.monotonic())))
        seen.append(proc(pid))
    return before, proc(pid), seen, count() - done


def figures(before: dict, after: dict, seen: list[dict], done: float) -> dict:
    def growth(name: str) -> float:
        """From the first tenth of the time to the last one."""
        values = [sample[name] for sample in seen]
        tenth = max(1, len(values) // 10)
        return sum(values[-tenth:]) / tenth - sum(values[:tenth]) / tenth

    return {
        "checks": done,
        "cpu_ms_per_check": (after["cpu"] - before["cpu"]) * 1000 / done,
        "written_bytes_per_check": (after["written"] - before["written"]) / done,
        "rss_mib_max": max(sample["rss"] for sample in seen),
        "rss_mib_anonymous": after["anonymous"],
        "rss_mib_growth": growth("rss"),
        "anonymous_mib_growth": growth("anonymous"),
        "threads": after["threads"],
    }


def steady(binary: Path, config: Path, folder: Path, seconds: int) -> dict:
    daemon = subprocess.Popen([binary, "run", "--config", config], stderr=subprocess.DEVNULL)
    try:
        result = figures(*watch(daemon.pid, seconds, lambda: checks(folder)[0]))
    finally:
        stop(daemon)
    total, result["not_up"] = checks(folder)
    result["database_bytes_per_check"] = (folder / "data/pihook.db").stat().st_size / total
    return result


def beside(command: list, seconds: int, rate: float) -> dict:
    """Another program on the same work, `rate` checks a second."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        return figures(*watch(process.pid, seconds, lambda: time.monotonic() * rate))
    finally:
        process.kill()
        process.wait()


def monit(folder: Path, port: int, tls: bool, services: int, interval: int) -> list:
    scheme = "https" if tls else "http"
    lines = [f"set daemon {interval}", f"set idfile {folder}/monit.id", f"set statefile {folder}/monit.state"]
    for number in range(services):
        lines.append(f"check host s{number} with address 127.0.0.1\n  if failed port {port} protocol {scheme} "
                     f'request "/{number}" then alert')
    path = folder / "monitrc"
    path.write_text("\n".join(lines) + "\n")
    path.chmod(0o600)
    return ["monit", "-I", "-c", path, "-p", folder / "monit.pid"]


def measure(binary: Path, tls: bool, arguments) -> dict:
    folder = Path(tempfile.mkdtemp(prefix="pihook-bench-", dir=arguments.folder))
    web = Web(folder, tls)
    try:
        config = configuration(folder, web.port, tls, arguments.services, arguments.interval)
        figures = start_up(binary, config, web, 5)
        shutil.rmtree(folder / "data")
        result = {"first_check_ms": sorted(figures)[len(figures) // 2]}
        # One start compiles the plugins; the daemon that is measured finds them compiled.
        daemon = subprocess.Popen([binary, "run", "--config", config], stderr=subprocess.DEVNULL)
        while not (folder / "data/pihook.db").exists():
            time.sleep(0.05)
        stop(daemon)
        scheme = "https" if tls else "http"
        columns = {scheme: result | steady(binary, config, folder, arguments.seconds)}
        if arguments.beside:
            interval = int(arguments.interval.removesuffix("s"))
            rate = arguments.services / interval
            bare = [arguments.release / "bare_loop", str(web.port), str(arguments.services), str(interval)]
            columns[f"{scheme} bare"] = beside(bare + ([folder / "ca.pem"] if tls else []), arguments.seconds, rate)
            if shutil.which("monit"):
                command = monit(folder, web.port, tls, arguments.services, interval)
                columns[f"{scheme} monit"] = beside(command, arguments.seconds, rate)
        return columns
    finally:
        web.stop()
        shutil.rmtree(folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("release", nargs="?", type=Path, help="folder with the release build")
    parser.add_argument("--seconds", type=int, default=600, help="how long to measure each scheme (default 600)")
    parser.add_argument("--services", type=int, default=100)
    parser.add_argument("--interval", default="10s")
    parser.add_argument("--scheme", choices=["http", "https"], help="only this one")
    parser.add_argument("--folder", default=None, help="where the data goes; a real disk, not tmpfs (default: $TMPDIR)")
    parser.add_argument("--beside", action="store_true",
                        help="also measure a bare hyper loop, and Monit if it is installed, on the same work")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--certificate", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(serve(arguments.serve, arguments.certificate))
        return
    if not arguments.release:
        parser.error("name the folder with the release build")
    schemes = [arguments.scheme] if arguments.scheme else ["http", "https"]
    results = {}
    for scheme in schemes:
        print(f"{scheme}: {arguments.services} services every {arguments.interval} for {arguments.seconds} s ...",
              file=sys.stderr)
        results |= measure((arguments.release / "pihook").resolve(), scheme == "https", arguments)
    if arguments.json:
        print(json.dumps(results, indent=2))
        return
    print(f"{'':28}" + "".join(f"{column:>14}" for column in results))
    for name in dict.fromkeys(name for column in results.values() for name in column):
        cells = (f"{column[name]:>14.2f}" if name in column else f"{'':>14}" for column in results.values())
        print(f"{name:28}" + "".join(cells))


if __name__ == "__main__":
    main()
