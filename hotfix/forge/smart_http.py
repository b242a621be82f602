"""Git's smart HTTP, the client's half: refs, fetch and push, as few requests as there can be.

After Git's ``gitprotocol-http``, ``gitprotocol-v2`` and ``gitprotocol-pack``, on dulwich's packets.
A fetch is one request of protocol 2, or of 0 where a server or a proxy before it knows no other;
the capabilities are asked for once. dulwich's own client asks for them each time, on a connection
of its own each time, and cannot be told what to fetch from a server of protocol 0.
"""

from __future__ import annotations

import re
import struct
import zlib
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from dulwich.errors import ApplyDeltaError, ChecksumMismatch, GitProtocolError, HangupException
from dulwich.protocol import Protocol, pkt_line

from hotfix.forge.network import LostAnswerError
from hotfix.forge.protocol import ForgeError
from hotfix.identifiers import SHA_PATTERN, ZERO, Sha
from hotfix.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from hotfix.forge.wire import Answer, Wire

_AGENT: Final = b"agent=git/2.0-hotfix"
_FLUSH, _DELIMITER = b"0000", b"0001"
_DATA, _PROGRESS, _FATAL = 1, 2, 3
_OK = 200
_BY_ID: Final = frozenset({b"allow-tip-sha1-in-want", b"allow-reachable-sha1-in-want"})
_NOT_OURS = re.compile(r"not our ref ([0-9a-f]{40})")
_MOST_SAID = 100_000

GARBAGE = (
    ApplyDeltaError,
    AssertionError,
    BufferError,  # dulwich cannot let go of a pack on disk that it gave up on
    ChecksumMismatch,
    GitProtocolError,
    HangupException,
    LookupError,
    ValueError,
    struct.error,
    zlib.error,
)
"""What reading bytes raises that are not what Git's protocol and packs are made of."""


class RefusedWantError(ForgeError):
    """The server does not have what was asked for, or does not give it by its id.

    git's ``upload-pack`` says ``not our ref`` to both. ``oid`` is the one that it names.
    """

    def __init__(self, message: str, oid: Sha | None) -> None:
        super().__init__(message, status=_OK, code="git-refused")
        self.oid = oid


@dataclass(frozen=True, slots=True)
class Want:
    """What a fetch asks for; ``have`` is what the answer may leave out with all below it."""

    oids: Iterable[Sha]
    have: Iterable[Sha] = ()
    depth: int | None = None
    filter: str | None = None


@dataclass(slots=True)
class Report:
    """What a server says of a push: of the objects, of each ref, and through its hooks."""

    unpacked: str | None = None
    refs: dict[str, str | None] = field(default_factory=dict)
    """Ref to the reason of its refusal, ``None`` where it was moved."""
    said: bytearray = field(default_factory=bytearray)


@dataclass(frozen=True, slots=True)
class _Offer:
    """What the server can do, and its refs where protocol 0 lists them in the same answer."""

    url: str
    version: int
    capabilities: frozenset[bytes]
    refs: Mapping[str, Sha]


class SmartHttp:
    """A repository behind a URL, spoken to over one connection."""

    def __init__(self, url: str, wire: Wire) -> None:
        self._url = url
        self._wire = wire
        self._offered: _Offer | None = None

    def is_exact(self) -> bool:
        """Tell whether the server gives single objects by their ids: filters, and any id.

        Protocol 2 has no rule against wanting any id; protocol 0 announces that it has none.
        """
        offer = self._offer()
        if offer.version == 2:  # noqa: PLR2004  (the protocol's number)
            fetch = next((c for c in offer.capabilities if c.startswith(b"fetch=")), b"")
            return b"filter" in fetch.removeprefix(b"fetch=").split()
        return b"filter" in offer.capabilities and offer.capabilities >= _BY_ID

    def refs(self, prefix: str) -> dict[str, Sha]:
        """List the refs whose full name begins with the prefix, as they stand now."""
        if self._offered is not None and self._offered.version != 2:  # noqa: PLR2004
            self._offered = None  # in protocol 0 the refs are part of the offer
        offer = self._offer()
        if offer.version != 2:  # noqa: PLR2004
            return {name: oid for name, oid in offer.refs.items() if name.startswith(prefix)}
        body = _command(b"ls-refs", [b"ref-prefix " + prefix.encode()])
        with self._ask("git-upload-pack", offer, body) as packets:
            return dict(_refs(packets.read_pkt_seq(), prefix))

    def fetch(self, want: Want, sink: Callable[[bytes], object]) -> None:
        """Ask for objects with one request and write the pack that comes to ``sink``."""
        offer = self._offer()
        is_2 = offer.version == 2  # noqa: PLR2004
        body = _command(b"fetch", _arguments(want)) if is_2 else _request_of_0(want)
        with self._ask("git-upload-pack", offer, body) as packets:
            if is_2:
                _skip_to_pack(packets)
            else:
                _skip_answers_of_0(packets, deepened=want.depth is not None)
            for part in _banded(packets, lambda _: None):
                sink(part)

    def push(
        self,
        ref: str,
        decide: Callable[[Sha], tuple[Sha, Callable[[], bytes]] | None],
    ) -> Report | None:
        """Move one ref from where it stands, as ``decide`` says once it has seen that.

        It returns the new id and what makes the pack, called just before all is sent; where it
        returns nothing, nothing is sent. The id that was seen goes along, so the server moves the
        ref from there or not at all.
        """
        offer = self._discover("git-receive-pack", {})
        old = offer.refs.get(ref, ZERO)
        decided = decide(old)
        if decided is None:
            return None
        new, pack = decided
        known = [b"report-status", b"side-band-64k", b"atomic", b"delete-refs", b"ofs-delta"]
        chosen = [word for word in known if word in offer.capabilities]
        line = f"{old} {new} {ref}".encode() + b"\0" + b" ".join([b"", *chosen, _AGENT])
        content = pack()
        body = pkt_line(line) + _FLUSH + (b"" if new == ZERO else content)
        report = Report()
        with self._ask("git-receive-pack", offer, body) as packets:
            if b"report-status" in chosen:
                _read_report(packets, report, banded=b"side-band-64k" in chosen)
        return report

    def _offer(self) -> _Offer:
        if self._offered is None:
            self._offered = self._discover("git-upload-pack", {"Git-Protocol": "version=2"})
        return self._offered

    def _discover(self, service: str, headers: Mapping[str, str]) -> _Offer:
        answer = self._wire.get(f"{self._url}/info/refs?service={service}", headers)
        kind = answer.headers.get("Content-Type") or ""
        if kind.partition(";")[0].strip() != f"application/x-{service}-advertisement":
            answer.close()
            raise ForgeError(
                f"GitLab's answer to {answer.asked} is {one_line(kind) or 'of no type'}, not Git's",
                status=_OK,
                code="gitlab-answer",
                hint="Check that no log-in page or proxy answers in GitLab's place.",
            )
        with _reading(answer) as packets:
            return _read_offer(packets, answer.url.partition("/info/refs?")[0])

    @contextmanager
    def _ask(self, service: str, offer: _Offer, body: bytes) -> Iterator[Protocol]:
        """Send one request, and read its answer to the end, so that the connection stays."""
        headers = {
            "Content-Type": f"application/x-{service}-request",
            "Accept": f"application/x-{service}-result",
        }
        if offer.version == 2:  # noqa: PLR2004
            headers["Git-Protocol"] = "version=2"
        with _reading(self._wire.post(f"{offer.url}/{service}", headers, body)) as packets:
            yield packets


@contextmanager
def plain_errors(asked: str) -> Iterator[None]:
    """Turn errors about an answer that makes no sense into one of ours."""
    try:
        yield
    except GARBAGE as error:
        raise LostAnswerError(
            f"GitLab's answer to {asked} is not Git's protocol: {one_line(str(error))}",
            code="gitlab-answer",
            hint="Check that the address is a GitLab's and that no proxy answers in its place.",
        ) from error


@contextmanager
def _reading(answer: Answer) -> Iterator[Protocol]:
    try:
        with plain_errors(answer.asked):
            yield _Packets(answer)
            answer.finish()
    except BaseException:
        answer.close()
        raise


class _Packets(Protocol):
    """Packets of one answer; an ``ERR`` in place of any is raised as what the server says."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.read, lambda _: None)
        self._asked = answer.asked

    def read_pkt_line(self) -> bytes | None:
        line = super().read_pkt_line()
        if line is not None and line.startswith(b"ERR "):
            said = one_line(line[4:].decode("utf-8", "replace"))
            sentence = f"GitLab refused {self._asked}: {said}"
            named = _NOT_OURS.search(said)
            if "not our ref" in said:
                raise RefusedWantError(sentence, Sha(named[1]) if named else None)
            raise ForgeError(sentence, status=_OK, code="git-refused")
        return line


def _command(name: bytes, arguments: Iterable[bytes]) -> bytes:
    head = [b"command=" + name, _AGENT, b"object-format=sha1"]
    lines = [pkt_line(each + b"\n") for each in head]
    return b"".join([*lines, _DELIMITER, *(pkt_line(each + b"\n") for each in arguments), _FLUSH])


def _arguments(want: Want) -> Iterator[bytes]:
    yield from (b"no-progress", b"ofs-delta")
    yield from (b"want " + oid.encode() for oid in want.oids)
    yield from _limits(want)
    yield from (b"have " + oid.encode() for oid in want.have)
    yield b"done"


def _limits(want: Want) -> Iterator[bytes]:
    if want.depth is not None:
        yield b"deepen %d" % want.depth
    if want.filter is not None:
        yield b"filter " + want.filter.encode()


def _request_of_0(want: Want) -> bytes:
    words = [b"side-band-64k", b"ofs-delta", b"no-progress", _AGENT]
    words += [b"filter"] if want.filter is not None else []
    lines = [b"want " + oid.encode() for oid in want.oids]
    lines[0] += b" " + b" ".join(words)
    head = [*lines, *_limits(want)]
    tail = [*(b"have " + oid.encode() for oid in want.have), b"done"]
    framed = [[pkt_line(each + b"\n") for each in part] for part in (head, tail)]
    return b"".join([*framed[0], _FLUSH, *framed[1]])


def _read_offer(packets: Protocol, url: str) -> _Offer:
    """Read the first answer: capabilities, and in protocol 0 the refs."""
    first = packets.read_pkt_line()
    if first is not None and first.startswith(b"# service="):
        packets.read_pkt_line()
        first = packets.read_pkt_line()
    if first is not None and first.rstrip(b"\n") == b"version 2":
        words = frozenset(line.rstrip(b"\n") for line in packets.read_pkt_seq())
        return _Offer(url, 2, words, {})
    if first is not None and first.rstrip(b"\n") == b"version 1":
        first = packets.read_pkt_line()
    if first is None:
        return _Offer(url, 0, frozenset(), {})
    head, _, words_of_0 = first.partition(b"\0")
    lines = [head, *packets.read_pkt_seq()]
    return _Offer(url, 0, frozenset(words_of_0.split()), dict(_refs(lines)))


def _refs(lines: Iterable[bytes], prefix: str = "") -> Iterator[tuple[str, Sha]]:
    """Read lines of refs; ``unborn`` is no commit, and ``^{}`` is what a tag points to."""
    for line in lines:
        oid, _, rest = line.rstrip(b"\n").partition(b" ")
        name = rest.partition(b" ")[0].decode("utf-8", "backslashreplace")
        if oid == b"unborn" or name.endswith("^{}") or not name.startswith(prefix):
            continue
        text = oid.decode("ascii", "replace")
        if not re.match(SHA_PATTERN, text):
            raise ValueError(f"{one_line(text)} is no commit id of 40 hex digits")
        yield name, Sha(text)


def _skip_to_pack(packets: Protocol) -> None:
    while True:
        section = packets.read_pkt_line()
        if section is None:
            raise GitProtocolError("the answer has no pack")
        if section.rstrip(b"\n") == b"packfile":
            return
        for _ in packets.read_pkt_seq():
            pass


def _skip_answers_of_0(packets: Protocol, *, deepened: bool) -> None:
    if deepened:
        for boundary in packets.read_pkt_seq():
            if not boundary.startswith((b"shallow ", b"unshallow ")):
                raise GitProtocolError(f"unexpected line {boundary!r}")
    line = packets.read_pkt_line()
    if line is None or not line.startswith((b"NAK", b"ACK ")):
        raise GitProtocolError(f"unexpected line {line!r}")


def _banded(packets: Protocol, hear: Callable[[bytes], object]) -> Iterator[bytes]:
    """Yield what comes in the band of data; what the server's programs print is only heard."""
    for packet in packets.read_pkt_seq():
        band, content = packet[0], packet[1:]
        if band == _DATA:
            yield content
        elif band == _PROGRESS:
            hear(content)
        elif band == _FATAL:
            raise GitProtocolError(one_line(content.decode("utf-8", "replace")))
        else:
            raise GitProtocolError(f"unexpected band {band}")


def _read_report(packets: Protocol, report: Report, *, banded: bool) -> None:
    def hear(said: bytes) -> None:
        if len(report.said) < _MOST_SAID:
            report.said.extend(said)

    lines: Iterable[bytes]
    if banded:
        inner = bytearray(b"".join(_banded(packets, hear)))

        def take(size: int) -> bytes:
            taken = bytes(inner[:size])
            del inner[:size]
            return taken

        lines = Protocol(take, lambda _: None).read_pkt_seq()
    else:
        lines = packets.read_pkt_seq()
    for line in lines:
        word, _, rest = line.decode("utf-8", "replace").rstrip("\n").partition(" ")
        if word == "unpack":
            report.unpacked = rest
        elif word == "ok":
            report.refs[rest] = None
        elif word == "ng" and " " in rest:
            ref, _, reason = rest.partition(" ")
            report.refs[ref] = reason
        else:
            raise GitProtocolError(f"unexpected line {one_line(word)!r} in a report")
