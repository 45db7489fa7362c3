"""A proxy in front of a real IMAP server: it keeps a log, changes lines, and cuts connections."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

#: Takes a line of the client; gives the line to send on, or None after answering by itself.
OnLine = Callable[[bytes, Callable[[bytes], None]], bytes | None]
OnData = Callable[[bytes], bytes]


class ImapProxy:
    """Listens on a free loopback port.

    `lines` is what clients said, without tags. `cut_after` is how many bytes of the server a connection
    passes before it is cut, for so many connections as it has entries. `silent` swallows all answers.
    """

    def __init__(
        self,
        port: int,
        on_line: OnLine = lambda line, _: line,
        on_data: OnData = lambda data: data,
        cut_after: list[int] | None = None,
    ) -> None:
        self.lines: list[str] = []
        self.silent = False
        self.connections = 0
        self.on_line = on_line
        self.on_data = on_data
        self.cut_after = cut_after or []
        self._upstream = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def commands(self, *names: str) -> list[str]:
        """Give the lines that begin with one of these words."""
        return [line for line in self.lines if line.startswith(names)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in list(self._sockets):
            _close(each)
        for thread in self._threads:
            thread.join(10)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._upstream), 10)
            server.settimeout(None)
            self.connections += 1
            self._sockets += [client, server]
            budget = self.cut_after.pop(0) if self.cut_after else None
            for target, ends in (
                (self._to_server, (client, server)),
                (self._to_client, (server, client, budget)),
            ):
                thread = threading.Thread(target=target, args=ends, daemon=True)
                self._threads.append(thread)
                thread.start()

    def _to_server(self, client: socket.socket, server: socket.socket) -> None:
        pending = b""
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                *lines, pending = (pending + data).split(b"\r\n")
                for line in lines:
                    self.lines.append(line.partition(b" ")[2].decode("utf-8", "replace"))
                    passed = self.on_line(line, client.sendall)
                    if passed is not None:
                        server.sendall(passed + b"\r\n")
        _close(server)

    def _to_client(self, server: socket.socket, client: socket.socket, budget: int | None) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                data = self.on_data(data)
                if budget is not None and passed + len(data) >= budget:
                    client.sendall(data[: budget - passed])
                    break
                passed += len(data)
                if not self.silent:
                    client.sendall(data)
        _close(client)
        _close(server)


def _close(each: socket.socket) -> None:
    with contextlib.suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
    each.close()
