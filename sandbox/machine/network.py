"""The node's address, on a link of our own."""

from __future__ import annotations

import socket
import subprocess

from sandbox.errors import SandboxError
from sandbox.machine import addresses
from sandbox.machine.prerequisites import find


def add_node_address() -> None:
    """Make the link that holds the node's address. A bridge: not every kernel has dummies.

    Pod and Service addresses that nobody has (yet) lead to it and end there: without these routes
    a packet to one would leave the machine by the default route, and somebody else might answer.
    """
    _ip("link", "add", addresses.NODE_LINK, "type", "bridge")
    _ip("address", "add", f"{addresses.NODE}/32", "dev", addresses.NODE_LINK)
    _ip("link", "set", addresses.NODE_LINK, "up")
    for cidr in (addresses.POD_CIDR, addresses.SERVICE_CIDR):
        _ip("route", "add", cidr, "dev", addresses.NODE_LINK)


def has_node_address() -> bool:
    """Tell whether the link is there, with its address."""
    argv = [find("ip") or "ip", "-o", "address", "show", "dev", addresses.NODE_LINK]
    shown = subprocess.run(argv, capture_output=True, text=True, check=False)
    return f" {addresses.NODE}/32 " in shown.stdout


def remove_node_address() -> None:
    """Remove the link if it is there."""
    argv = [find("ip") or "ip", "link", "delete", addresses.NODE_LINK]
    subprocess.run(argv, capture_output=True, check=False)


def require_free_ports() -> None:
    """Refuse to start where another program listens already."""
    for host, port in addresses.LISTENERS:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                raise SandboxError(
                    f"The sandbox needs {host}:{port}, which another program uses: end it."
                ) from error


def _ip(*arguments: str) -> None:
    argv = [find("ip") or "ip", *arguments]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SandboxError(f"ip {' '.join(arguments)} failed: {done.stderr.strip()}")
