"""``git-receive-pack``: the server's half of a push.

Objects wait outside until GitLab's own checks are through (its pre-receive hook: one refused ref
refuses them all), then each ref is moved from exactly the id that the client named, or not at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Final

from dulwich.errors import ApplyDeltaError, ChecksumMismatch, ObjectFormatException
from dulwich.object_store import MemoryObjectStore

from hotfix.identifiers import ZERO, Sha
from hotfix.sandbox import history, push_rules
from hotfix.sandbox.repositories import StaleRefError
from hotfix.sandbox.smart_http import packets, refs
from hotfix.sandbox.smart_http.packets import FLUSH, ProtocolError, Reader, banded, packet

if TYPE_CHECKING:
    from dulwich.objects import ObjectID, RawObjectID, ShaFile

    from hotfix.sandbox.projects import Project
    from hotfix.sandbox.push_rules import RefUpdate
    from hotfix.sandbox.repositories import Repository
    from hotfix.sandbox.users import User

SERVICE: Final = "git-receive-pack"
CAPABILITIES: Final = [
    "report-status",
    "delete-refs",
    "side-band-64k",
    "quiet",
    "atomic",
    "ofs-delta",
    "push-options",
]
_BROKEN: Final = (
    ApplyDeltaError,
    ChecksumMismatch,
    ObjectFormatException,
    AssertionError,
    EOFError,
    KeyError,
    ValueError,
)


@dataclass(frozen=True, slots=True)
class Push:
    """What came of a push: the answer, and the refs that moved."""

    answer: bytes
    moved: list[RefUpdate]
    options: list[str]


@dataclass(frozen=True, slots=True)
class _Request:
    updates: list[RefUpdate]
    capabilities: set[str]
    options: list[str]
    pack: bytes


class _Quarantine(MemoryObjectStore):
    """Objects that came but are not accepted yet; deltas may refer to the repository's own."""

    def __init__(self, repository: Repository) -> None:
        super().__init__()
        self._repository = repository

    def get_raw(self, name: RawObjectID | ObjectID) -> tuple[int, bytes]:
        sha = self._to_hexsha(name)
        if sha in self._data:
            return super().get_raw(name)
        thing = self._repository[sha.decode()]
        return thing.type_num, thing.as_raw_string()

    def things(self) -> list[ShaFile]:
        return list(self._data.values())


def greeting(repository: Repository) -> bytes:
    """Answer ``GET info/refs``."""
    return refs.advertisement(repository, SERVICE, CAPABILITIES)


def receive(project: Project, user: User, body: bytes) -> Push:
    """Take a push and move the refs that may move."""
    try:
        request = _parse(Reader(body))
    except (ProtocolError, ValueError) as error:
        return Push(packet(f"ERR {error}\n"), [], [])
    repository = project.repository
    try:
        things = _unpacked(repository, request.pack)
    except _BROKEN as error:
        reason = str(error).replace("\n", " ") or type(error).__name__
        results = {update.ref: "unpacker error" for update in request.updates}
        return Push(_report(request, f"error {reason}", results, ""), [], request.options)
    before = set(repository.ids())
    for thing in things:
        repository.add(thing)
    results, talk = _apply(project, user, request)
    moved = [update for update in request.updates if results[update.ref] == "ok"]
    if not moved:
        repository.forget(set(repository.ids()) - before)
    return Push(_report(request, "ok", results, talk), moved, request.options)


def declined(body: bytes, reason: str) -> bytes:
    """Answer a push as a server whose pre-receive hook says no: nothing moved."""
    request = _parse(Reader(body))
    results = {update.ref: _DECLINED for update in request.updates}
    return _report(request, "ok", results, f"GitLab: {reason}\n")


_DECLINED: Final = "pre-receive hook declined"


def _parse(reader: Reader) -> _Request:
    lines = [line.decode() for line in reader.section() if not line.startswith(b"shallow ")]
    if not lines:
        return _Request([], set(), [], b"")
    lines[0], _, words = lines[0].partition("\0")
    capabilities = set(words.split())
    updates = []
    for line in lines:
        old, new, ref = line.split(" ", 2)
        updates.append(push_rules.RefUpdate(ref, Sha(old), Sha(new)))
    options = []
    if "push-options" in capabilities:
        options = [option.decode() for option in reader.section()]
    return _Request(updates, capabilities, options, reader.rest())


def _unpacked(repository: Repository, pack: bytes) -> list[ShaFile]:
    if not pack:
        return []
    quarantine = _Quarantine(repository)
    stream = BytesIO(pack)
    quarantine.add_thin_pack(stream.read, None)
    return quarantine.things()


def _apply(project: Project, user: User, request: _Request) -> tuple[dict[str, str], str]:
    """Return the result of each ref, and what the server says about it."""
    refused = push_rules.refusal(project, user, request.updates)
    if refused is not None:
        return {update.ref: _DECLINED for update in request.updates}, f"GitLab: {refused}\n"
    problems = {update.ref: _problem(project.repository, update) for update in request.updates}
    if "atomic" in request.capabilities and any(problems.values()):
        return {ref: found or "atomic transaction failed" for ref, found in problems.items()}, ""
    results, talk = {}, ""
    for update in request.updates:
        results[update.ref] = problems[update.ref] or "ok"
        if problems[update.ref] is None:
            project.repository.update_ref(update.ref, update.old, update.new)
        elif problems[update.ref] == _STALE:
            stands = project.repository.refs.get(update.ref, ZERO)
            talk += f"error: cannot lock ref '{update.ref}': is at {stands} but expected "
            talk += f"{update.old}\n"
    return results, talk


_STALE: Final = "failed to update ref"


def _problem(repository: Repository, update: RefUpdate) -> str | None:
    if update.ref.startswith((*refs.HIDDEN, *refs.READ_ONLY)):
        return "deny updating a hidden ref"
    if not update.ref.startswith("refs/") or ".." in update.ref or update.ref.endswith("/"):
        return "funny refname"
    try:
        repository.expect(update.ref, update.old)
    except StaleRefError:
        return _STALE
    return None if update.new == ZERO else _object_problem(repository, update)


def _object_problem(repository: Repository, update: RefUpdate) -> str | None:
    try:
        history.reachable_objects(repository, [update.new])
    except KeyError:
        return "missing necessary objects"
    if update.ref.startswith("refs/heads/") and repository.peeled(update.new) != update.new:
        return "cannot update ref: trying to write non-commit object to branch"
    return None


def _report(request: _Request, unpack: str, results: dict[str, str], talk: str) -> bytes:
    if "report-status" not in request.capabilities:
        return b""
    lines = [f"unpack {unpack}\n"]
    lines += [
        f"ok {ref}\n" if result == "ok" else f"ng {ref} {result}\n"
        for ref, result in results.items()
    ]
    report = b"".join(packet(line) for line in lines) + FLUSH
    if "side-band-64k" not in request.capabilities:
        return report
    said = banded(packets.PROGRESS, talk.encode())
    return b"".join([*said, *banded(packets.DATA, report), FLUSH])
