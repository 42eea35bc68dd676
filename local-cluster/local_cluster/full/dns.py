"""One question to a DNS server, to see whether it serves the cluster's names yet."""

import secrets
import socket
import struct

__all__ = ["answers", "query"]

A_RECORD, INTERNET = 1, 1
RECURSION_DESIRED, RESPONSE = 0x0100, 0x8000


def query(name: str, *, number: int) -> bytes:
    """The packet that asks for a name's IPv4 address; `number` comes back in the answer."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.rstrip(".").split("."))
    return (
        struct.pack("!6H", number, RECURSION_DESIRED, 1, 0, 0, 0) + labels + struct.pack("!BHH", 0, A_RECORD, INTERNET)
    )


def answers(server: str, name: str, address: str, *, timeout: float = 0.5) -> bool:
    """Whether the server gives this address for this name, asked once; `timeout` is in seconds."""
    number = secrets.randbelow(1 << 16)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(timeout)
        try:
            client.connect((server, 53))
            client.send(query(name, number=number))
            packet = client.recv(512)
        except OSError:
            return False
    if len(packet) < 12:
        return False
    got, flags_, _, count, _, _ = struct.unpack("!6H", packet[:12])
    wanted = struct.pack("!H", 4) + socket.inet_aton(address)  # an address record ends with its length and itself
    return got == number and bool(flags_ & RESPONSE) and count > 0 and wanted in packet[12:]
