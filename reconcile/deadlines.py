"""Connections whose answer has one deadline, its headers included.

The timeout of a socket is per read: a platform that drips one byte a second never runs into it.
"""

import http.client
import io
import ipaddress
import socket
import time
from functools import partial
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError


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
    """Takes the read timeout for the time the whole answer may take, its headers included."""

    def getresponse(self) -> Any:
        connection: Any = self
        until = time.monotonic() + float(connection.timeout)
        connection.response_class = partial(_DeadlineResponse, until=until)
        return super().getresponse()  # type: ignore[misc]


class _PlainConnection(_Deadline, HTTPConnection):
    pass


class _TlsConnection(_Deadline, HTTPSConnection):
    pass


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class _Public:
    """Connects to addresses of the internet only, whatever a name resolves to at that moment."""

    def _new_conn(self) -> socket.socket:
        sock: socket.socket = super()._new_conn()  # type: ignore[misc]
        address = ipaddress.ip_address(sock.getpeername()[0])
        if not (getattr(address, "ipv4_mapped", None) or address).is_global:
            sock.close()
            raise PrivateAddressError(self, f"{address} is not a public address")  # type: ignore[arg-type]
        return sock


class PrivateAddressError(NewConnectionError):
    """A name led into a network of our own."""


class _PublicPlainConnection(_Public, _PlainConnection):
    pass


class _PublicTlsConnection(_Public, _TlsConnection):
    pass


class _PublicPlainPool(HTTPConnectionPool):
    ConnectionCls = _PublicPlainConnection


class _PublicTlsPool(HTTPSConnectionPool):
    ConnectionCls = _PublicTlsConnection


POOLS = {"http": _PlainPool, "https": _TlsPool}
"""By scheme, for urllib3's pool manager."""
PUBLIC_POOLS = {"http": _PublicPlainPool, "https": _PublicTlsPool}
"""The same for addresses that a customer named."""
