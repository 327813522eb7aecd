"""Connections with one deadline for getting the request out, and one for the whole answer.

The timeout of a socket is per read: a platform that drips one byte a second never runs into it. That of
connecting is per address: a name with many would take many times as long.
"""

import http.client
import io
import socket
import time
from functools import partial
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util.connection import create_connection

from outbound.addresses import is_public, look_up


class _DeadlineReader(io.RawIOBase):
    """Reads a socket until a moment, however slowly the bytes come."""

    def __init__(self, sock: socket.socket, raw: io.RawIOBase, until: float) -> None:
        self._sock, self._raw, self._until = sock, raw, until

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer took too long")
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _DeadlineResponse(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *arguments: Any, until: float, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        self.fp = io.BufferedReader(_DeadlineReader(sock, self.fp.detach(), until))


class _Deadline:
    """Takes each timeout for all of its part of a call.

    That of connecting: looking the name up, trying its addresses, TLS, sending the request. That of reading:
    the whole answer, its headers included.
    """

    _until: float | None = None

    def request(self, *arguments: Any, **options: Any) -> None:
        connection: Any = self
        if connection.sock is not None:
            connection.sock.settimeout(self._left())
        super().request(*arguments, **options)  # type: ignore[misc]

    def _new_conn(self) -> socket.socket:
        connection: Any = self
        try:
            found = look_up(connection._dns_host, connection.port, self._left())
            sock = self._connect(self._choose(found))
        except socket.gaierror as error:
            raise NameResolutionError(connection.host, connection, error) from error
        except TimeoutError as error:
            raise ConnectTimeoutError(connection, f"connecting to {connection.host} took too long") from error
        except OSError as error:
            raise NewConnectionError(connection, f"no connection: {error}") from error
        sock.settimeout(self._left())
        return sock

    def _choose(self, addresses: list[str]) -> list[str]:
        return addresses

    def _connect(self, addresses: list[str]) -> socket.socket:
        """To the first address that answers; each has an equal share of what is left."""
        connection: Any = self
        failure = OSError("no address")
        for number, address in enumerate(addresses):
            share = self._left() / (len(addresses) - number)
            try:
                return create_connection(
                    (address, connection.port),
                    share,
                    source_address=connection.source_address,
                    socket_options=connection.socket_options,
                )
            except OSError as error:
                failure = error
        raise failure

    def _left(self) -> float:
        """Seconds until the request has to be out; a moment where there are none."""
        connection: Any = self
        if self._until is None:
            self._until = time.monotonic() + float(connection.timeout)
        return max(self._until - time.monotonic(), 0.001)

    def getresponse(self) -> Any:
        connection: Any = self
        self._until = None
        until = time.monotonic() + float(connection.timeout)
        connection.response_class = partial(_DeadlineResponse, until=until)
        return super().getresponse()  # type: ignore[misc]


class _PlainConnection(_Deadline, HTTPConnection):
    pass


class _TlsConnection(_Deadline, HTTPSConnection):
    pass


class PrivateAddressError(NewConnectionError):
    """A name led into a network of our own."""


class _Public:
    """Connects to addresses of the internet only: no other is even tried, whatever a name resolves to."""

    def _choose(self, addresses: list[str]) -> list[str]:
        public = [address for address in addresses if is_public(address)]
        if not public:
            raise PrivateAddressError(self, "no public address")  # type: ignore[arg-type]
        return public


class _PublicPlainConnection(_Public, _PlainConnection):
    pass


class _PublicTlsConnection(_Public, _TlsConnection):
    pass


def _make_pools(plain: type[HTTPConnection], tls: type[HTTPSConnection]) -> dict[str, type]:
    """By scheme, for urllib3's pool manager."""
    return {
        "http": type("PlainPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
        "https": type("TlsPool", (HTTPSConnectionPool,), {"ConnectionCls": tls}),
    }


POOLS = _make_pools(_PlainConnection, _TlsConnection)
PUBLIC_POOLS = _make_pools(_PublicPlainConnection, _PublicTlsConnection)
"""For addresses that a customer named."""
