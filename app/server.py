"""The production HTTP server: uvicorn with a timeout for request heads, and a drain before it stops."""

import asyncio
import errno
import signal
import socket
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import Server

from app.middleware.size_limits import MAXIMUM_HEAD_BYTES

FIRST_REQUEST_SECONDS = 0.5
ACCEPT_PAUSE_SECONDS = 0.001
NO_RESOURCES_PAUSE_SECONDS = 1.0
NO_RESOURCES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
MAXIMUM_FRAMING_BYTES = 8_388_608
"""Chunk sizes and trailers of a request. A body of 1 MiB in chunks of one byte has 5 MiB of them."""


class HeadLimitProtocol(HttpToolsProtocol):
    """Closes connections that send the head of a request too slowly, or without end.

    Not a middleware, because middleware sees a request when its head is complete.
    """

    def __init__(self, *arguments: Any, head_seconds: float, **options: Any) -> None:  # noqa: ANN401  uvicorn's own
        """Allow `head_seconds` from the opening of a connection, or from the first byte of a later request."""
        super().__init__(*arguments, **options)
        self._head_seconds = head_seconds
        self._head_bytes = 0
        self._framing_bytes = 0
        self._awaits_head = True
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Start the timer for the first head."""
        super().connection_made(transport)
        self._start_waiting()

    def on_message_begin(self) -> None:
        """Start the counters for the next head."""
        super().on_message_begin()
        self._awaits_head, self._head_bytes, self._framing_bytes = True, 0, 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """Discard trailers, which would become headers of the request (RFC 9110, section 6.5.1)."""
        if self._awaits_head:
            super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        """Subtract the body from the bytes of framing."""
        self._framing_bytes -= len(body)
        super().on_body(body)

    def on_headers_complete(self) -> None:
        """Stop the timer."""
        self._awaits_head = False
        self._stop_waiting()
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Count the bytes of heads and of framing, and close the connection above the limits."""
        super().data_received(data)
        if self._awaits_head:  # Most heads arrive in one piece and need no timer.
            self._head_bytes += len(data)
            if self._head_bytes > MAXIMUM_HEAD_BYTES:
                self._cut_off(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
            elif self._deadline is None:
                self._start_waiting()
        else:
            self._framing_bytes += len(data)
            if self._framing_bytes > MAXIMUM_FRAMING_BYTES:
                self._cut_off(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def shutdown(self) -> None:
        """Close after the current response; a new connection has half a second to send its first request."""
        self.loop.call_later(0 if self.cycle else FIRST_REQUEST_SECONDS, super().shutdown)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timer."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _start_waiting(self) -> None:
        self._deadline = self.loop.call_later(self._head_seconds, self._cut_off, HTTPStatus.REQUEST_TIMEOUT)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _cut_off(self, status: HTTPStatus) -> None:
        self._stop_waiting()
        if not self.transport.is_closing():
            line = f"HTTP/1.1 {status.value} {status.phrase}\r\n"
            self.transport.write(f"{line}content-length: 0\r\nconnection: close\r\n\r\n".encode())
            self.transport.close()


class DrainingServer(Server):
    """Shares connections with the other workers, and drains after SIGTERM.

    During the drain readiness is 503, and every response closes its connection, so that load balancers stop using it.
    """

    def __init__(self, config: Config, drain_seconds: float, *, has_siblings: bool) -> None:
        """Drain for `drain_seconds`, which are part of the time of the shutdown; share connections with siblings."""
        super().__init__(config)
        self.drain_seconds = drain_seconds
        self._accept_pause = ACCEPT_PAUSE_SECONDS if has_siblings else 0
        self._is_closed = False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and accept connections one by one, with a pause in which other workers accept the next.

        uvloop's server accepts all waiting connections: one worker would get every connection of a burst.
        """
        await super().startup(sockets=[])
        for listener in sockets or []:
            listener.setblocking(False)
            self._listen(listener)

    def _listen(self, listener: socket.socket) -> None:
        if not self._is_closed:
            asyncio.get_running_loop().add_reader(listener, self._accept, listener)

    def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(listener)
        pause = self._accept_pause
        try:
            connection, _ = listener.accept()
        except OSError as error:  # Another worker was faster, the client has gone, or resources are exhausted.
            pause = NO_RESOURCES_PAUSE_SECONDS if error.errno in NO_RESOURCES else 0
        else:
            self._serve_connection(connection)
        loop.call_later(pause, self._listen, listener)

    async def main_loop(self) -> None:
        """Serve, then drain, except after SIGINT (Ctrl-C)."""
        await super().main_loop()
        if signal.SIGINT in self._captured_signals:
            return
        if self._captured_signals:  # Otherwise the worker is recycled, and others are ready.
            self.lifespan.state["health"].drain()
        if self.config.callback_notify:
            await self.config.callback_notify()
        self.server_state.default_headers = [*self.server_state.default_headers, (b"connection", b"close")]
        await asyncio.sleep(self.drain_seconds)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, and finish the requests in progress."""
        self._is_closed = True
        for listener in sockets or []:
            asyncio.get_running_loop().remove_reader(listener)
        self._accept_the_rest(sockets or [])
        await super().shutdown(sockets)
        # Otherwise uvicorn raises the signal again, and the process dies before its last log lines are written.
        self._captured_signals.clear()

    def _accept_the_rest(self, sockets: Sequence[socket.socket]) -> None:
        """Accept the connections that the kernel has established: closing the listener would reset them."""
        for listener in sockets:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    break
                self._serve_connection(connection)

    def _serve_connection(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        loop = asyncio.get_running_loop()
        accepting = loop.connect_accepted_socket(self._make_protocol, connection, ssl=self.config.ssl)
        task = loop.create_task(accepting)
        self.server_state.tasks.add(task)  # type: ignore[arg-type]  # waited for like a request
        task.add_done_callback(self.server_state.tasks.discard)

    def _make_protocol(self) -> asyncio.Protocol:
        make: Any = self.config.http_protocol_class
        protocol: asyncio.Protocol = make(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return protocol
