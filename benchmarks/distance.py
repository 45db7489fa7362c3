"""Put a distance between a client and a server of this machine; run as a process by the benchmarks.

    python benchmarks/distance.py PORT MILLISECONDS

Prints the port to connect to. What either side sends arrives half of the milliseconds later, as over a
line with that round trip and more bandwidth than this machine uses. It ends with its standard input.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_CHUNK = 64 << 10
#: Chunks under way at most, so that a slow reader is felt by the sender.
_UNDER_WAY = 256


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float) -> None:
    """Carry one direction."""
    clock = asyncio.get_running_loop().time
    under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_UNDER_WAY)

    async def arrive() -> None:
        while True:
            due, data = await under_way.get()
            await asyncio.sleep(due - clock())
            if not data:
                writer.write_eof()
                return
            writer.write(data)
            await writer.drain()

    arriving = asyncio.create_task(arrive())
    data = b"-"
    while data:
        data = await reader.read(_CHUNK)
        await under_way.put((clock() + seconds, data))
    await arriving


async def _serve(port: int, seconds: float) -> None:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection("127.0.0.1", port)
            await asyncio.gather(_carry(reader, back, seconds), _carry(there, writer, seconds))
            back.close()
        except OSError:  # one side hung up
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


@contextmanager
def far_away(port: int, milliseconds: float) -> Iterator[int]:
    """Give the port of a server that is so far away: the round trip, in milliseconds."""
    command = [sys.executable, __file__, str(port), str(milliseconds)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.stdin.close()
        process.terminate()
        process.wait(10)
        process.stdout.close()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), float(sys.argv[2]) / 2000))
