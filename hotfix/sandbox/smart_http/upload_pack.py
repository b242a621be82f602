"""``git-upload-pack``: the server's half of a fetch, in protocol 0 and in protocol 2.

Over HTTP every request stands alone: the client repeats all that was said before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hotfix.sandbox.smart_http import packets, refs
from hotfix.sandbox.smart_http.fetching import Request, Selection
from hotfix.sandbox.smart_http.packets import (
    DELIMITER,
    FLUSH,
    ProtocolError,
    Reader,
    banded,
    packet,
)

if TYPE_CHECKING:
    from hotfix.sandbox.repositories import Repository

SERVICE: Final = "git-upload-pack"
CAPABILITIES: Final = [
    "multi_ack_detailed",
    "no-done",
    "side-band-64k",
    "thin-pack",
    "ofs-delta",
    "shallow",
    "no-progress",
    "include-tag",
    "filter",
    "allow-tip-sha1-in-want",
    "allow-reachable-sha1-in-want",
]


def greeting(repository: Repository, version: int) -> bytes:
    """Answer ``GET info/refs``."""
    if version != 2:  # noqa: PLR2004 - protocol 2
        return refs.advertisement(repository, SERVICE, CAPABILITIES)
    offers = ["version 2", refs.AGENT, "ls-refs=unborn", "fetch=shallow filter"]
    lines = [*offers, "object-format=sha1"]
    return b"".join(packet(f"{line}\n") for line in lines) + FLUSH


def answer(repository: Repository, body: bytes, version: int) -> bytes:
    """Answer ``POST git-upload-pack``."""
    try:
        return (_answer_2 if version == 2 else _answer_0)(repository, Reader(body))  # noqa: PLR2004 - protocol 2
    except (ProtocolError, ValueError) as error:
        return packet(f"ERR {error}\n")


# protocol 2
def _answer_2(repository: Repository, reader: Reader) -> bytes:
    command = (reader.next() or b"").decode()
    # The command's capabilities go up to a delimiter, its arguments up to a flush.
    reader.section()
    arguments = [line.decode() for line in reader.section()]
    if command == "command=ls-refs":
        return refs.listing(repository, arguments)
    if command != "command=fetch":
        raise ProtocolError(f"unknown command: {command}")
    request = Request()
    for line in arguments:
        request.take(line)
    selection = Selection(repository, request)
    parts = []
    if not request.done:
        parts.append(packet("acknowledgments\n"))
        parts += [packet(f"ACK {sha}\n") for sha in selection.common] or [packet("NAK\n")]
        if not selection.ready():
            return b"".join([*parts, FLUSH])
        parts += [packet("ready\n"), DELIMITER]
    if request.depth is not None:
        parts += [packet("shallow-info\n"), *_boundaries(selection), DELIMITER]
    parts += [packet("packfile\n"), *banded(packets.DATA, selection.pack()), FLUSH]
    return b"".join(parts)


def _boundaries(selection: Selection) -> list[bytes]:
    return [
        *(packet(f"shallow {sha}\n") for sha in selection.shallow),
        *(packet(f"unshallow {sha}\n") for sha in selection.unshallow),
    ]


# protocol 0
def _answer_0(repository: Repository, reader: Reader) -> bytes:
    wants = [line.decode() for line in reader.section()]
    if not wants:
        return b""
    words = wants[0].split(" ")
    wants[0], capabilities = " ".join(words[:2]), set(words[2:])
    request = Request()
    for line in wants:
        request.take(line)
    # A client that deepens reads the new boundaries first, and asks again with the rest.
    only_boundaries = reader.ended
    while not reader.ended:
        for later in reader.section():
            request.take(later.decode())
    selection = Selection(repository, request)
    parts = [*_boundaries(selection), FLUSH] if request.depth is not None else []
    if only_boundaries:
        return b"".join(parts)
    parts += [packet(f"ACK {sha} common\n") for sha in selection.common]
    last = selection.common[-1] if selection.common else None
    if not request.done:
        enough = "no-done" in capabilities and selection.ready()
        parts += [packet(f"ACK {last} ready\n")] if enough else []
        parts.append(packet("NAK\n"))
        if not enough:
            return b"".join(parts)
    parts.append(packet(f"ACK {last}\n" if last else "NAK\n"))
    pack = selection.pack()
    if "side-band-64k" in capabilities:
        return b"".join([*parts, *banded(packets.DATA, pack), FLUSH])
    return b"".join([*parts, pack])
