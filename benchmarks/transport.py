"""Compare ways to download many files from a loopback nginx, each hashed while it is written.

    python benchmarks/transport.py [--rounds 3] [--scale 1.0] [--only NAME] [--dir DIRECTORY]

The files are 2,000 photos, 100 PDFs and 8 videos, 1.8 GB in all (`--scale` shrinks the number of
files). Every client runs in a process of its own; the rounds are interleaved and their order rotates,
because the page cache and the machine drift. Needs nginx; wget2 and aria2c take part when installed.
Compare ratios within one run, never times of two runs.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import random
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from archiver.web import PoliteClient

_SIZES = [("photo", 2000, 420_000), ("deck", 100, 1_000_000), ("video", 8, 100_000_000)]
_NGINX = """
daemon off; worker_processes 1; pid {dir}/nginx.pid; error_log {dir}/error.log;
events {{ worker_connections 512; }}
http {{ access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000;
  client_body_temp_path {dir}/t1; proxy_temp_path {dir}/t2; fastcgi_temp_path {dir}/t3;
  uwsgi_temp_path {dir}/t4; scgi_temp_path {dir}/t5;
  server {{ listen 127.0.0.1:{port}; root {dir}/origin; }} }}
"""


def polite(base: str, names: list[str], target: Path, threads: int) -> None:
    with PoliteClient(hosts_allowed=[base]) as client, ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda name: client.download(f"{base}/{name}", target / name).sha256, names))


def through_httpx(base: str, names: list[str], target: Path) -> None:
    with httpx.Client(trust_env=False) as client, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: _stream(client, f"{base}/{name}", target / name), names))


def _stream(client: httpx.Client, url: str, path: Path) -> str:
    digest, part = hashlib.sha256(), path.with_suffix(".part")
    with client.stream("GET", url) as response, part.open("wb", buffering=0) as file:
        for chunk in response.raise_for_status().iter_raw():
            digest.update(chunk)
            file.write(chunk)
    part.replace(path)
    return digest.hexdigest()


def bare(base: str, names: list[str], target: Path) -> None:
    """Show the floor: a socket, a hash and a file, with no checks at all."""
    host, port = base.removeprefix("http://").split(":")
    shares = [names[index::4] for index in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(
            pool.map(lambda share: _bare(socket.create_connection((host, int(port))), share, target), shares)
        )


def _bare(sock: socket.socket, names: list[str], target: Path) -> None:
    buffer = memoryview(bytearray(256 << 10))
    for name in names:
        sock.sendall(f"GET /{name} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        count = sock.recv_into(buffer)
        head, _, start = bytes(buffer[:count]).partition(b"\r\n\r\n")
        left, digest = int(head.lower().split(b"content-length:")[1].split()[0]), hashlib.sha256()
        with (target / name).open("wb", buffering=0) as file:
            data: bytes | memoryview = start
            while left:
                digest.update(data)
                left -= file.write(data)
                data = buffer[: sock.recv_into(buffer)] if left else b""
    sock.close()


def _tool(command: list[str], base: str, names: list[str], target: Path) -> None:
    listing = target / ".urls"
    listing.write_text("".join(f"{base}/{name}\n" for name in names))
    subprocess.run([*command, str(listing)], cwd=target, check=True, capture_output=True)
    listing.unlink()
    subprocess.run(
        "find . -type f -print0 | xargs -0 sha256sum > /dev/null", cwd=target, shell=True, check=True
    )


Client = Callable[[str, list[str], Path], None]
CLIENTS: dict[str, Client] = {
    "ours, 8 threads": lambda base, names, target: polite(base, names, target, 8),
    "ours, 4 threads": lambda base, names, target: polite(base, names, target, 4),
    "ours, 2 threads": lambda base, names, target: polite(base, names, target, 2),
    "bare socket, no checks, 4 (floor)": bare,
    "httpx.Client, 8": through_httpx,
}
if shutil.which("wget2"):
    CLIENTS["wget2 then sha256sum"] = lambda *args: _tool(["wget2", "-q", "--max-threads=8", "-i"], *args)
if shutil.which("aria2c"):
    CLIENTS["aria2c then sha256sum"] = lambda *args: _tool(["aria2c", "-q", "-j8", "-i"], *args)


def make_files(folder: Path, scale: float) -> list[str]:
    folder.mkdir(parents=True)
    names, noise = [], random.Random(1).randbytes(1 << 20)
    for kind, count, size in _SIZES:
        for index in range(max(1, round(count * scale))):
            name = f"{kind}{index:05}.bin"
            with (folder / name).open("wb") as file:
                for start in range(0, size, len(noise)):
                    file.write(name.encode() + noise[: min(len(noise), size - start) - len(name)])
            names.append(name)
    random.Random(2).shuffle(names)
    return names


@contextlib.contextmanager
def nginx(folder: Path) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    (folder / "nginx.conf").write_text(_NGINX.format(dir=folder, port=port))
    binary = shutil.which("nginx") or "/usr/sbin/nginx"
    process = subprocess.Popen([binary, "-p", str(folder), "-c", str(folder / "nginx.conf")])
    try:
        _await(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def _await(port: int) -> None:
    for _ in range(100):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.05)
    raise SystemExit("nginx did not start.")


def run_child(name: str, base: str, folder: Path) -> dict[str, float]:
    """Run one client in a new process; seconds of wall and CPU (children too), peak memory in MB."""
    target = Path(tempfile.mkdtemp(dir=folder, prefix="target"))
    command = [sys.executable, __file__, "--child", name, "--base", base, "--dir", str(target)]
    try:
        output = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
        files = [path for path in target.iterdir() if path.is_file()]
        wanted = sum(path.stat().st_size for path in (folder / "origin").iterdir())
        if sum(path.stat().st_size for path in files) != wanted:
            raise SystemExit(f"{name} did not bring every byte.")
        figures: dict[str, float] = json.loads(output)
        return figures
    finally:
        # Emptied, not deleted: ext4 looks for a new inode past every one deleted in the last minutes,
        # which would cost the next client a millisecond a file.
        for path in target.iterdir():
            os.truncate(path, 0)


def child(name: str, base: str, target: Path) -> None:
    names = json.loads((target.parent / "names.json").read_text())
    begun = time.perf_counter()
    CLIENTS[name](base, names, target)
    wall = time.perf_counter() - begun
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cpu = sum(each.ru_utime + each.ru_stime for each in usage)
    print(json.dumps({"wall": wall, "cpu": cpu, "rss": max(each.ru_maxrss for each in usage) / 1024}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--only", action="append", help="part of a client's name; may be repeated")
    parser.add_argument("--dir", type=Path, help="where to put the files; a temporary directory by default")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--base", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        child(args.child, args.base, args.dir)
        return
    chosen = [name for name in CLIENTS if not args.only or any(part in name for part in args.only)]
    with tempfile.TemporaryDirectory(dir=args.dir) as made:
        compare(chosen, Path(made), args.rounds, args.scale)


def compare(chosen: list[str], folder: Path, rounds: int, scale: float) -> None:
    folder.chmod(0o755)  # nginx's worker is another user
    names = make_files(folder / "origin", scale)
    (folder / "names.json").write_text(json.dumps(names))
    results: dict[str, list[dict[str, float]]] = {name: [] for name in chosen}
    os.sync()
    with nginx(folder) as base:
        for turn in range(rounds):
            for name in chosen[turn % len(chosen) :] + chosen[: turn % len(chosen)]:
                results[name].append(run_child(name, base, folder))
    report(results)


def report(results: dict[str, list[dict[str, float]]]) -> None:
    best = min(statistics.median(run["wall"] for run in runs) for runs in results.values())
    print(f"{'client':36} {'wall s':>7} {'x best':>7} {'min-max':>13} {'CPU s':>7} {'RSS MB':>7}")
    for name, runs in results.items():
        walls = [run["wall"] for run in runs]
        wall = statistics.median(walls)
        spread = f"{min(walls):.2f}-{max(walls):.2f}"
        cpu, rss = (statistics.median(run[key] for run in runs) for key in ("cpu", "rss"))
        print(f"{name:36} {wall:7.2f} {wall / best:7.2f} {spread:>13} {cpu:7.2f} {rss:7.0f}")


if __name__ == "__main__":
    main()
