"""Slow, greedy and broken clients against a door in this process: each costs a socket, never a thread."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from serving import connections
from serving.connections import Door
from serving.parser import FORM_LIMIT
from serving.server import open_door

GET = b"GET /small HTTP/1.1\r\nHost: x\r\n\r\n"
LAST = b"GET /small HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
LARGE = 2 * 1024 * 1024


def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """Say how long the body was; /large is more than any socket holds."""
    status, body = "200 OK", b"x" * LARGE
    if int(environ.get("CONTENT_LENGTH", 0)) > FORM_LIMIT:
        status = "413 Too Large"
    elif environ["PATH_INFO"] != "/large":
        body = b"%d" % len(environ["wsgi.input"].read())
    start_response(status, [("Content-Length", str(len(body)))])
    return [body]


class Street:
    """Everybody who knocks at one door; who is still there at the end goes then."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self.clients: list[socket.socket] = []

    def connect(self, sent: bytes = b"", *, buffer: int = 0) -> socket.socket:
        client = socket.socket()
        self.clients.append(client)
        if buffer:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        client.settimeout(10)
        client.connect(("127.0.0.1", int(self.door.effective_port)))
        client.sendall(sent)
        return client

    def is_answered(self) -> bool:
        """An honest request, within two seconds."""
        start = time.monotonic()
        told = read_all(self.connect(LAST))
        return told.startswith(b"HTTP/1.1 200") and time.monotonic() - start < 2


@pytest.fixture
def street(monkeypatch: pytest.MonkeyPatch) -> Iterator[Street]:
    """A door whose patience is short."""
    for name in ("ARRIVAL_SECONDS", "LEAVING_SECONDS", "LINGER_SECONDS"):
        monkeypatch.setattr(connections, name, 1.0)
    monkeypatch.setattr(connections, "CONNECTIONS", 30)
    monkeypatch.setattr(connections, "HELD_LIMIT", 2 * FORM_LIMIT)
    door = open_door("127.0.0.1", 0)
    door.application = answer
    loop = threading.Thread(target=door.run_until_stopped, args=[5.0])
    loop.start()
    street = Street(door)
    yield street
    for client in street.clients:
        client.close()
    door.request_stop()
    loop.join()
    door.task_dispatcher.shutdown()
    door.trigger.close()


def read_all(client: socket.socket) -> bytes:
    """Everything until the server closes."""
    with client:
        told = b""
        while chunk := client.recv(65536):
            told += chunk
        return told


def read_one(client: socket.socket) -> bytes:
    """One short answer."""
    told = b""
    while not told.endswith(b"\r\n\r\n0"):
        told += client.recv(65536)
    return told


def wait_for(is_so: Callable[[], object], seconds: float = 10) -> None:
    give_up = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < give_up
        time.sleep(0.05)


def post(length: int) -> bytes:
    return b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % length


@pytest.mark.parametrize("half", [b"GET /heal", GET[:-2], post(100) + b"half a bo", b"POST"])
def test_what_takes_too_long_to_arrive_is_told_so_however_it_dribbles(street: Street, half: bytes) -> None:
    client, start = street.connect(half), time.monotonic()
    while time.monotonic() - start < 0.9:
        client.sendall(b"x")
        time.sleep(0.1)
    told = read_all(client)
    assert told.startswith(b"HTTP/1.1 408 ")
    assert json.loads(told.partition(b"\r\n\r\n")[2])["status"] == "408"
    assert time.monotonic() - start < 4


def test_who_never_says_anything_is_sent_away_without_a_word(street: Street) -> None:
    assert read_all(street.connect()) == b""


def test_who_does_not_read_is_sent_away_and_keeps_nobody_waiting(street: Street) -> None:
    ask = b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n"
    for _ in range(20):
        street.connect(ask * 50, buffer=4096)
    for _ in range(5):
        assert street.is_answered()
    wait_for(lambda: not street.door.active_channels)


def test_who_reads_a_little_for_ever_is_sent_away(street: Street) -> None:
    with street.connect(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n", buffer=4096) as client:
        start = time.monotonic()
        while street.door.active_channels or time.monotonic() - start < 1:
            assert client.recv(10)
            assert time.monotonic() - start < 10
            time.sleep(0.05)
        with pytest.raises(ConnectionResetError):
            read_all(client)


def test_who_reads_slowly_but_steadily_gets_the_whole_answer(street: Street) -> None:
    client = street.connect(b"GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", buffer=65536)
    told = b""
    with client:
        while chunk := client.recv(65536):
            told += chunk
            time.sleep(0.02)
    assert len(told.partition(b"\r\n\r\n")[2]) == LARGE


def test_idle_connections_make_room_and_the_busy_ones_stay(street: Street) -> None:
    working = street.connect(GET)
    read_one(working)
    time.sleep(1.1)
    working.sendall(GET)
    read_one(working)
    for _ in range(100):
        street.connect()
    assert street.is_answered()
    working.sendall(LAST)
    assert read_all(working).startswith(b"HTTP/1.1 200")
    assert len(street.door.active_channels) <= 30


def test_too_much_that_arrives_at_once_ends_the_largest_and_takes_the_small(street: Street) -> None:
    clients = [street.connect(post(FORM_LIMIT) + b"x" * (FORM_LIMIT - 9)) for _ in range(4)]
    wait_for(lambda: sum(each.held for each in [*street.door.active_channels.values()]) <= 2 * FORM_LIMIT)
    assert read_all(street.connect(post(1000) + b"x" * 1000 + LAST)).count(b"HTTP/1.1 200") == 2
    told = [read_all(client) for client in clients]
    refused = [each for each in told if each.startswith(b"HTTP/1.1 503")]
    assert len(refused) >= 2
    assert all(b"Retry-After: 5" in each for each in refused)


def test_a_body_too_large_is_answered_while_the_client_is_still_sending(street: Street) -> None:
    client = street.connect(post(LARGE))
    sent = threading.Thread(target=client.sendall, args=[b"x" * LARGE])
    sent.start()
    told = read_all(client)
    sent.join()
    assert told.startswith(b"HTTP/1.1 413")
    assert len(told) > LARGE
    wait_for(lambda: not street.door.active_channels)


def test_urgent_data_is_no_http(street: Street) -> None:
    client = street.connect(LAST[:9])
    wait_for(lambda: street.door.active_channels)
    client.send(b"!", socket.MSG_OOB)
    wait_for(lambda: not street.door.active_channels, seconds=0.9)


def test_requests_sent_in_one_go_are_answered_in_their_order(street: Street) -> None:
    sent, expected = b"", []
    for number in range(2000):
        body = b"x" * (number % 700)
        expected.append(len(body))
        sent += (
            post(len(body)) if number % 3 else GET.replace(b"Host", b"Content-Length: %d\r\nHost" % len(body))
        ) + body
    client = street.connect()
    threading.Thread(target=client.sendall, args=[sent + LAST]).start()
    answers = read_all(client).split(b"HTTP/1.1 200 OK\r\n")[1:]
    assert [int(each.partition(b"\r\n\r\n")[2]) for each in answers] == [*expected, 0]


def test_a_stopping_door_answers_what_is_here_and_nothing_else(street: Street) -> None:
    idle, half = street.connect(GET), street.connect(post(5) + b"he")
    read_one(idle)
    wait_for(lambda: sum(each.held for each in [*street.door.active_channels.values()]))
    street.door.request_stop()
    half.sendall(b"llo")
    assert read_all(idle) == b""
    told = read_all(half)
    assert told.endswith(b"\r\n\r\n5")
    assert b"Connection: close" in told
    with pytest.raises(ConnectionRefusedError):
        street.connect()


def test_what_is_being_answered_when_the_door_stops_is_the_last_on_its_connection(street: Street) -> None:
    """Else its client would send the next request to a connection that is closed at that moment."""
    began, may_go_on = threading.Event(), threading.Event()

    def slow(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        began.set()
        may_go_on.wait(5)
        return answer(environ, start_response)

    street.door.application = slow
    client = street.connect(GET)
    assert began.wait(5)
    street.door.request_stop()
    may_go_on.set()
    assert b"Connection: close" in read_all(client)


def test_who_does_not_hang_up_after_a_refusal_keeps_no_door_open(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "LINGER_SECONDS", 60.0)
    monkeypatch.setattr(connections, "STOPPING_SECONDS", 0.5)
    client = street.connect(post(100) + b"half a bo")
    wait_for(lambda: sum(each.held for each in [*street.door.active_channels.values()]))
    street.door.request_stop()
    wait_for(lambda: not street.door.active_channels, seconds=4)
    assert client.recv(20).startswith(b"HTTP/1.1 408 ")
