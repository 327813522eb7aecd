"""Connections, and the door they come in by: whoever is slow costs a socket, never a thread.

waitress's main loop collects requests and sends answers without waiting for anybody; a thread only
computes. What it leaves open is bounded here: how long a client may take, and how much is kept for all.
"""

import socket
import struct
import time
from contextlib import suppress
from typing import Any

from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer
from waitress.utilities import Error

from serving.answers import Answer, Busy, Refusal, TooSlow
from serving.parser import Request

ARRIVAL_SECONDS = 30.0
"""Longest time a request may take to arrive."""
STOPPING_SECONDS = 2.0
"""The same while the service is stopping."""
LEAVING_SECONDS = 30.0
LEAVING_BYTES = 128 * 1024
"""What a client must take of a waiting answer in that time, if it is not all."""
IDLE_SECONDS = 75.0
LINGER_SECONDS = 10.0
"""How long the rest of a refused request is read and thrown away, so that its client can read the answer."""
CONNECTIONS = 250
"""More than these, and who has kept still longest is sent away."""
HELD_LIMIT = 32 * 1024 * 1024
"""Bytes kept of requests that are arriving."""
RECEIVED_AT_ONCE = 64 * 1024
ACCEPTED_AT_ONCE = 256
SEND_BUFFER = 256 * 1024
"""What the system keeps of an answer for a client; more it would only keep longer."""


class Connection(HTTPChannel):  # type: ignore[misc]  # waitress has no types
    """One client: its request on the way in, then its answer on the way out."""

    parser_class = Request
    task_class = Answer
    error_task_class = Refusal
    request: Any
    head = b""
    """Of the answer at hand; it leaves with what follows it."""
    has_spoken = False
    is_cut = False
    """What the client is still sending is not read any more."""
    is_lingering = False

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.sendbuf_len = RECEIVED_AT_ONCE
        self.since = self.leaving_since = time.monotonic()
        """When it was opened or its latest request began to arrive, and since when ``sent`` is counted."""
        self.sent = 0
        self.unread = b""
        """What came after the request; it waits until the answer has left."""

    @property
    def held(self) -> int:
        """Bytes kept of what the client sent."""
        return sum(request.held for request in [self.request, *self.requests] if request)

    def received(self, data: bytes) -> None:
        """Take what has arrived, as far as the end of a request."""
        if self.is_lingering:
            return
        self.has_spoken = True
        while data and not self.requests:
            if self.request is None:
                self.request, self.since = self.parser_class(self.adj), time.monotonic()
            request = self.request
            data = data[request.received(data) :]
            if request.completed:
                self.request, self.sent_continue = None, False
                self.unread = data
                if not request.empty:
                    self._hand_over(request)
            elif request.expect_continue and request.headers_finished:
                self.send_continue()
        if self.request and self.request.held > RECEIVED_AT_ONCE:
            self.server.bound_held()

    def readable(self) -> bool:
        return super().readable() and not self.unread

    def writable(self) -> bool:
        return bool(super().writable() or (self.unread and not self.requests))

    def handle_write(self) -> None:
        """Send what is waiting; once it has left, go on with what the client sent meanwhile."""
        super().handle_write()
        if self.unread and not (self.requests or super().writable()):
            unread, self.unread = self.unread, b""
            self.received(unread)

    def handle_expt(self) -> None:
        """HTTP has no urgent data; waitress would write a line for each of them, without end."""
        self.end()

    def handle_close(self) -> None:
        """Close; who is still sending gets time to read the answer, which a reset would take away."""
        if self.is_lingering or not self.is_cut:
            super().handle_close()
            return
        self.is_lingering, self.will_close, self.unread = True, False, b""
        self.since = time.monotonic()
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)

    def write_soon(self, data: Any) -> int:
        """Send what the client takes at once; the main loop sends the rest."""
        if not data:
            return 0
        head, self.head = self.head, b""
        if head and isinstance(data, bytes):
            data = head + data
        elif head:
            super().write_soon(head)
        with self.outbuf_lock:
            if self.connected and not self.total_outbufs_len and isinstance(data, bytes):
                # Most answers fit: no buffer of waitress's own need copy them.
                data = data[self.send(data, do_close=False) :]
        return int(super().write_soon(data))

    def send_head(self) -> None:
        """Send the head that nothing followed."""
        head, self.head = self.head, b""
        super().write_soon(head)

    def send(self, data: bytes, do_close: bool = True) -> int:
        sent: int = super().send(data, do_close)
        self.sent += sent
        return sent

    def end(self) -> None:
        """Close at once."""
        self.is_lingering = True
        self.handle_close()

    def refuse(self, error: Error) -> None:
        """Answer ``error`` to the request that is arriving."""
        request, self.request = self.request, None
        request.error = error
        self.since = time.monotonic()
        self._hand_over(request)

    def look_after(self, now: float, *, is_stopping: bool = False) -> None:
        """End what has taken too long; called about once a second."""
        if self.total_outbufs_len:
            self._look_after_answer(now)
        elif not (self.requests or self.unread):
            self.leaving_since, self.sent = now, 0
            waited = now - self.since
            if self.request and not self.is_lingering:
                allowed = STOPPING_SECONDS if is_stopping else ARRIVAL_SECONDS
                if waited > allowed:
                    self.refuse(TooSlow(f"The request did not arrive within {allowed:.0f} s."))
            elif waited > self._patience(is_stopping):
                self.end()

    def _look_after_answer(self, now: float) -> None:
        if now - self.leaving_since <= LEAVING_SECONDS:
            return
        if self.sent < LEAVING_BYTES:
            # With a reset: the system would go on offering what it has of the answer for a long time.
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.end()
        self.leaving_since, self.sent = now, 0

    def _patience(self, is_stopping: bool) -> float:
        """How long a connection may be open without a request."""
        if is_stopping:
            # Who was refused half-way gets time to read it, at the end as well.
            return STOPPING_SECONDS if self.is_cut else -1.0
        if self.is_lingering:
            return LINGER_SECONDS
        return IDLE_SECONDS if self.has_spoken else ARRIVAL_SECONDS

    def _hand_over(self, request: Request) -> None:
        """To a thread."""
        self.is_cut = request.is_cut or request.error is not None
        if self.server.is_stopping:
            request.headers["CONNECTION"] = "close"
        self.requests.append(request)
        self.server.add_task(self)


class Door(TcpWSGIServer):  # type: ignore[misc]
    """The listening socket, and the loop that never waits for anybody."""

    channel_class = Connection
    is_stopping = False
    has_guest = False
    looked_after = 0.0

    def accept_connections(self) -> None:
        # Every connection has its listening socket's.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        super().accept_connections()

    def request_stop(self) -> None:
        """Take no more connections and end the loop; returns at once (for a signal handler)."""
        self.is_stopping = True
        self.pull_trigger()

    def run_until_stopped(self, grace: float) -> None:
        """Answer requests; once asked to stop, only those that are here, for at most ``grace`` seconds."""
        while not self.is_stopping:
            self._turn(1.0)
        self.del_channel()
        self.socket.close()
        give_up = time.monotonic() + grace
        while self.active_channels and time.monotonic() < give_up:
            self._turn(0.1)

    def _turn(self, seconds: float) -> None:
        self.asyncore.loop(timeout=seconds, use_poll=True, map=self._map, count=1)
        if len(self.active_channels) > CONNECTIONS:
            self._make_room()
        now = time.monotonic()
        if self.is_stopping or now - self.looked_after >= 1:
            self.looked_after = now
            for connection in [*self.active_channels.values()]:
                connection.look_after(now, is_stopping=self.is_stopping)

    def maintenance(self, now: float) -> None:
        """waitress's own goes by a clock that may be set back, and never ends who does not read."""

    def handle_accept(self) -> None:
        """Let in who waits."""
        for _ in range(ACCEPTED_AT_ONCE):
            self.has_guest = False
            super().handle_accept()
            if not self.has_guest:
                return

    def accept(self) -> Any:
        guest = super().accept()
        self.has_guest = guest is not None
        return guest

    def _make_room(self) -> None:
        """Whoever has kept still longest goes; those who never said a word have half of the room."""
        by_age = sorted(self.active_channels.values(), key=lambda each: each.since)
        silent = [each for each in by_age if not each.has_spoken]
        others = [each for each in by_age if each.has_spoken and not each.requests]
        excess = len(by_age) - CONNECTIONS
        of_silent = min(excess, max(0, len(silent) - CONNECTIONS // 2))
        for connection in [*silent[:of_silent], *others[: excess - of_silent]]:
            connection.end()

    def bound_held(self) -> None:
        """Where too much is kept of what is arriving, the largest request goes."""
        connections = self.active_channels.values()
        if sum(each.held for each in connections) > HELD_LIMIT:
            arriving = [each for each in connections if each.request]
            max(arriving, key=lambda each: each.request.held).refuse(
                Busy("Too many large requests are arriving at once; try again.")
            )
