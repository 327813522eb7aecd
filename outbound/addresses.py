"""Where a name leads, and which of its addresses are the internet's."""

import ipaddress
import socket
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

from urllib3.util.connection import allowed_gai_family

EMBEDDING = {
    ipaddress.IPv6Network("::/96"): 0,
    ipaddress.IPv6Network("::ffff:0:0/96"): 0,
    ipaddress.IPv6Network("64:ff9b::/96"): 0,
    ipaddress.IPv6Network("2002::/16"): 80,
}
"""Networks whose addresses stand for an IPv4 address: the bits to its right (RFC 4291 2.5.5, 6052, 3056)."""

NOT_PUBLIC = tuple(
    ipaddress.ip_network(network)
    for network in (
        # What Azure's machines find their platform at.
        "168.63.129.16/32",
        # To gateways and sites of one's own (RFC 7526, 8215, 3879); ipaddress takes these for global.
        "192.88.99.0/24",
        "64:ff9b:1::/48",
        "fec0::/10",
    )
)


def is_public(address: str) -> bool:
    """Whether a literal address is one of the internet, and not one of a network of our own."""
    found = ipaddress.ip_address(address.partition("%")[0])
    for network, shift in EMBEDDING.items():
        if found in network:
            return is_public(str(ipaddress.IPv4Address(int(found) >> shift & 0xFFFFFFFF)))
    is_ours = any(found in network for network in NOT_PUBLIC)
    return found.is_global and not found.is_multicast and not is_ours


def look_up(host: str, port: int, seconds: float) -> list[str]:
    """The literal addresses of ``host``, asked for once. Raises ``OSError``.

    The system's resolver takes no timeout: it is asked in a thread, which is left alone when it is late.
    """
    answers: SimpleQueue[list[str] | OSError] = SimpleQueue()
    Thread(target=_ask, args=(host.strip("[]"), port, answers), daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except Empty:
        raise TimeoutError("the name took too long") from None
    if isinstance(answer, OSError):
        raise answer
    return answer


def _ask(host: str, port: int, answers: Any) -> None:
    try:
        found = socket.getaddrinfo(host, port, allowed_gai_family(), socket.SOCK_STREAM)
        answers.put([str(address[0]) for *_kind, address in found])
    except UnicodeError:
        answers.put(socket.gaierror(socket.EAI_NONAME, "no name"))
    except OSError as error:
        answers.put(error)
