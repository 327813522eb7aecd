"""A gunicorn worker that gives a request to a thread only when all of it has arrived.

gunicorn's own threaded worker lets a thread wait for the rest of a request, so eight half-sent ones
stop it. Here the main loop, which never waits for anybody, collects the bytes: a half-sent request
costs a socket and its bytes, and after ``ARRIVAL_SECONDS`` it is answered 408. What gunicorn answers
by itself goes out as a SCIM error, because an IdP cannot read HTML.
"""

import contextlib
import json
import selectors
import socket
import struct
import sys
import time
from http import HTTPStatus
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

from config import SettingError
from scim.errors import ERROR_URN
from serving.framing import Framing

ARRIVAL_SECONDS = 30.0
"""Longest time a request may take to arrive."""
STOPPING_SECONDS = 2.0
"""The same while the worker is shutting down."""
IO_SECONDS = 20
"""Longest time a thread waits for a client, above all for one that does not take its answer."""
APP_LOAD_ERROR = 4
"""gunicorn's exit status for: stop, starting another worker would not help."""


class Arrival:
    """One request on its way in, from the opening of the connection or the end of the request before it."""

    def __init__(self, conn: Any) -> None:
        self.conn = conn
        self.since = time.monotonic()
        self.framing = Framing()
        self.is_over = False
        """Handed to a thread, or the connection is closed."""
        self.is_refused = False
        """Already answered; the rest is read and thrown away, so that the client can read the answer."""
        if conn.initialized:
            self.framing.feed(conn.parser.unreader.take_buffered())
        else:
            _bound_waiting(conn.sock)
        conn.sock.setblocking(False)


class PatientWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """The threaded worker, its threads protected from slow clients."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.arrivals: dict[socket.socket, Arrival] = {}
        self.scheduler: Any = None
        """What runs beside the requests; started and ended by ``gunicorn.conf.py``."""

    def handle_exit(self, sig: int, frame: Any) -> None:
        """SIGTERM: the run in hand is told at once, long before the requests have drained."""
        if self.scheduler:
            self.scheduler.request_stop()
        super().handle_exit(sig, frame)

    def load_wsgi(self) -> None:
        """A wrong setting is one clear sentence and the end, not a traceback and another try."""
        try:
            super().load_wsgi()
        except SettingError as error:
            for problem in str(error).splitlines():
                self.log.error("Herdbook cannot start: %s", problem)
            sys.exit(APP_LOAD_ERROR)

    def enqueue_req(self, conn: TConn) -> None:
        """Collect a request; every way into gunicorn's thread pool comes by here."""
        arrival = Arrival(conn)
        self._read(arrival)
        if not arrival.is_over:
            self.arrivals[conn.sock] = arrival
            self.poller.register(conn.sock, selectors.EVENT_READ, lambda _client: self._read(arrival))

    def murder_pending(self) -> None:
        """Answer 408 to what has been arriving for too long; called about once a second."""
        allowed = ARRIVAL_SECONDS if self.alive else STOPPING_SECONDS
        now = time.monotonic()
        for arrival in [each for each in self.arrivals.values() if now - each.since > allowed]:
            if arrival.framing.received and not arrival.is_refused:
                _send_error(arrival.conn.sock, 408, f"The request did not arrive within {allowed:.0f} s.")
            self._close(arrival)

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: BaseException) -> None:
        """Say what gunicorn has to say, as a SCIM error."""
        with contextlib.closing(_Ear()) as ear:
            super().handle_error(req, ear, addr, exc)
        _send_error(client, ear.status, str(exc) if ear.status < 500 else "The request could not be read.")

    def _read(self, arrival: Arrival) -> None:
        """Take what has arrived, without waiting; dispatch the request once it is whole."""
        try:
            data = arrival.conn.sock.recv(65536)
        except (BlockingIOError, InterruptedError):
            data = None
        except OSError:
            data = b""
        if data == b"":
            self._close(arrival)
        elif not arrival.is_refused:
            self._continue(arrival, data or b"")

    def _continue(self, arrival: Arrival, data: bytes) -> None:
        framing = arrival.framing
        framing.feed(data)
        if framing.is_complete:
            self._dispatch(arrival)
        elif framing.refusal:
            arrival.is_refused = True
            framing.received.clear()
            _send_error(arrival.conn.sock, *framing.refusal)
            with contextlib.suppress(OSError):
                arrival.conn.sock.shutdown(socket.SHUT_WR)
        elif framing.expects_continue():
            with contextlib.suppress(OSError):
                arrival.conn.sock.send(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _dispatch(self, arrival: Arrival) -> None:
        """Hand the whole request to a thread, which will find it in the parser's own buffer."""
        self._forget(arrival)
        conn = arrival.conn
        conn.init()
        conn.parser.unreader.unread(bytes(arrival.framing.received))
        conn.data_ready = True
        super().enqueue_req(conn)

    def _close(self, arrival: Arrival) -> None:
        self._forget(arrival)
        self.nr_conns -= 1
        arrival.conn.close()

    def _forget(self, arrival: Arrival) -> None:
        arrival.is_over = True
        if self.arrivals.pop(arrival.conn.sock, None):
            self.poller.unregister(arrival.conn.sock)


class _Ear:
    """Stands in for the client's socket to hear which status gunicorn would have answered."""

    status = 400

    def setblocking(self, _flag: bool) -> None:
        """Nothing to wait for."""

    def gettimeout(self) -> float:
        return 0.0

    def sendall(self, data: bytes) -> None:
        self.status = int(data.split(b" ", 2)[1])

    def close(self) -> None:
        """Nothing to close."""


def _bound_waiting(client: socket.socket) -> None:
    """However wrong things go, no thread waits longer than this for one client to send or to take bytes."""
    seconds = struct.pack("ll", IO_SECONDS, 0)
    with contextlib.suppress(OSError):
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, seconds)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, seconds)


def _send_error(client: socket.socket, status: int, detail: str) -> None:
    """Send a SCIM error without waiting; the connection ends after it."""
    body = json.dumps({"schemas": [ERROR_URN], "status": str(status), "detail": detail}).encode()
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nConnection: close\r\n"
        f"Content-Type: application/scim+json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with contextlib.suppress(OSError):
        client.setblocking(False)
        client.sendall(head.encode("latin-1") + body)
