"""Git over HTTPS with no working tree: refs, fetch and push on dulwich's client.

The token goes along as the password of user ``oauth2`` with the first request (GitLab docs,
"Personal access tokens"; a first try without it would count against the limit for strangers). It
goes to GitLab's own origin only.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import struct
import tempfile
import weakref
import zlib
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar, cast

from dulwich.client import HttpGitClient
from dulwich.errors import (
    ApplyDeltaError,
    ChecksumMismatch,
    GitProtocolError,
    HangupException,
    SendPackError,
)
from dulwich.object_store import DiskObjectStore, ObjectStoreGraphWalker
from dulwich.objects import Commit, ObjectID
from dulwich.pack import pack_objects_to_data

from hotfix.errors import InputError
from hotfix.forge import refused_push
from hotfix.forge.network import LostAnswerError, origin
from hotfix.forge.protocol import ForgeError, NotFoundError, StaleRefError, UnknownOutcomeError
from hotfix.forge.retry import patiently, transient
from hotfix.forge.wire import RefusedWantError, Wire
from hotfix.identifiers import SHA_PATTERN, ZERO, Sha, short
from hotfix.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from dulwich.client import SendPackResult
    from dulwich.objects import ShaFile
    from dulwich.pack import UnpackedObject

    from hotfix.git.objects import GitObject, ObjectReader

T = TypeVar("T")

_USER = "oauth2"
_BRANCHES = "refs/heads/"
_GARBAGE = (
    ApplyDeltaError,
    AssertionError,
    BufferError,  # its pack reader cannot let go of a pack that it gave up on
    ChecksumMismatch,
    GitProtocolError,
    HangupException,
    LookupError,
    ValueError,
    struct.error,
    zlib.error,
)
"""What dulwich raises over bytes that are not what Git's protocol and packs are made of."""

_SERVER_ERROR = 500
_MOST_SAID = 100_000
_TRAILER = 20
_SMALLEST_PACK = 32
_PART = 1 << 20


class HttpRepository:
    """A project's repository on GitLab; ``InputError`` for a URL that is not on GitLab itself."""

    def __init__(
        self,
        url: str,
        token: str,
        *,
        gitlab: str,
        timeout: float,
        sleep: Callable[[float], None],
    ) -> None:
        self._url = _check_home(url, gitlab)
        self._client = HttpGitClient(
            url,
            username=_USER,
            password=token,
            thin_packs=False,
            quiet=True,
            pool_manager=cast("Any", Wire(url, token, timeout=timeout)),
        )
        self._sleep = sleep
        self._objects = Scratch()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._url!r})"

    def refs(self, prefix: str = _BRANCHES) -> Mapping[str, Sha]:
        """List the refs whose full name begins with the prefix."""
        start = prefix.encode()
        return self._read(lambda: _named(self._client.get_refs("", ref_prefix=[start]).refs, start))

    def fetch(self, commits: Sequence[Sha]) -> ObjectReader:
        """Bring commits with all their history and files.

        They are asked for by their ids, which GitLab allows for any commit that it keeps. A server
        that allows it for the tips of refs alone is asked for all branches, and what they do not
        hold is asked for one by one, to learn which it is that the server does not have.
        """
        missing = [commit for commit in dict.fromkeys(commits) if commit not in self._objects]
        if missing and not self._bring(missing):
            self._bring(sorted(set(self.refs().values()) - {ZERO}))
            missing = [each for each in missing if each not in self._objects]
            self._require([each for each in missing if not self._bring([each])])
        self._require([each for each in missing if each not in self._objects])
        return self._objects

    def push(self, ref: str, *, old: Sha, new: Sha, objects: Sequence[GitObject]) -> None:
        """Move one ref in one request, the old id being compared here and by the server."""
        attempt = _Push(ref, old, new, objects)
        result = patiently(
            lambda: attempt.send(self._client),
            lambda error: not attempt.begun and transient(error),
            self._sleep,
        )
        if old != new:
            self._judge(result, ref, old, bytes(attempt.said))

    def _judge(self, result: SendPackResult, ref: str, old: Sha, said: bytes) -> None:
        """Take the server's word on the ref: done, refused, or moved by somebody meanwhile."""
        status = result.ref_status or {}
        if ref.encode() not in status:
            raise _unknown(ref, "GitLab did not report on the ref")
        reason = status[ref.encode()]
        if reason is None:
            return
        if not refused_push.is_of_a_hook(reason) and (seen := self._look(ref)) not in {None, old}:
            raise _stale(ref, old, seen)
        raise refused_push.refusal(ref, reason, said)

    def _look(self, ref: str) -> Sha | None:
        """Tell where a ref stands; ``None`` where that cannot be learned either."""
        try:
            return self.refs(ref).get(ref, ZERO)
        except ForgeError:
            return None

    def _bring(self, commits: Sequence[Sha]) -> bool:
        """Fetch commits into the scratch store; tell whether the server was willing."""
        wanted = [ObjectID(commit.encode()) for commit in commits]
        try:
            self._read(lambda: self._objects.take(self._client, wanted))
        except RefusedWantError:
            return False
        return True

    def _read(self, attempt: Callable[[], T]) -> T:
        def guarded() -> T:
            with _plain_errors(self._url):
                return attempt()

        return patiently(guarded, transient, self._sleep)

    def _require(self, absent: Sequence[Sha]) -> None:
        if absent:
            raise NotFoundError(
                f"{self._url} does not have {', '.join(absent)}",
                status=404,
                code="commit-not-found",
                hint="Check the ids; a commit that no branch holds any more may be gone.",
            )


class Scratch:
    """Objects that were fetched, in a temporary folder that goes when they are needed no more."""

    def __init__(self) -> None:
        folder = tempfile.mkdtemp(prefix="hotfix-")
        self._store = DiskObjectStore.init(str(Path(folder, "objects")))
        self._tips: list[ObjectID] = []
        weakref.finalize(self, _discard, self._store, folder)

    def __getitem__(self, oid: bytes, /) -> ShaFile:
        """Return an object, or raise ``KeyError``."""
        return self._store[ObjectID(oid)]

    def __contains__(self, oid: bytes | Sha, /) -> bool:
        """Tell whether an object is there."""
        return ObjectID(oid.encode() if isinstance(oid, str) else oid) in self._store

    def take(self, client: HttpGitClient, wanted: Sequence[ObjectID]) -> None:
        """Fetch commits with all that belongs to them and is not here yet."""
        walker = ObjectStoreGraphWalker(self._tips, self._parents)
        file, commit, abort = self._store.add_pack()
        try:
            client.fetch_pack(
                "",
                lambda _refs, depth=None: list(wanted),  # noqa: ARG005  (dulwich names it)
                walker,
                file.write,
                progress=lambda _said: None,
                ref_prefix=[_BRANCHES.encode()],
            )
            _check_pack(file)
            commit()
        except BaseException:
            with suppress(OSError):
                abort()
            raise
        self._tips += wanted

    def _parents(self, oid: ObjectID) -> list[ObjectID]:
        found = self._store[oid]
        return found.parents if isinstance(found, Commit) else []


def _check_pack(file: BinaryIO) -> None:
    """Refuse a file that is no whole pack (Git docs, "gitformat-pack"), before dulwich reads it."""
    size = file.tell()
    if size == 0:
        return
    file.seek(0)
    digest = hashlib.sha1(usedforsecurity=False)
    left = size - _TRAILER
    while left > 0 and (part := file.read(min(left, _PART))):
        digest.update(part)
        left -= len(part)
    if size < _SMALLEST_PACK or file.read() != digest.digest():
        raise ValueError("the pack is cut off or damaged")


def _discard(store: DiskObjectStore, folder: str) -> None:
    store.close()
    shutil.rmtree(folder, ignore_errors=True)


def _check_home(url: str, gitlab: str) -> str:
    """Return the URL if a token for this GitLab may be sent to it."""
    if origin(url) == origin(gitlab) and "@" not in url.split("/")[2]:
        return url
    raise InputError(
        "repository-url",
        f"the project's repository is at {one_line(url.rpartition('@')[2])}, "
        f"which is not on {gitlab}; the token does not go there",
        hint="Give the address that GitLab itself uses as --gitlab or in the spec.",
    )


@dataclass
class _Push:
    """One ref moved by one request; once that is ``begun`` no failure proves that it failed."""

    ref: str
    old: Sha
    new: Sha
    objects: Sequence[GitObject]
    begun: bool = False
    said: bytearray = field(default_factory=bytearray)

    def send(self, client: HttpGitClient) -> SendPackResult:
        """Ask where the ref stands, compare, and send the move and the objects."""
        try:
            with _plain_errors(self.ref):
                return client.send_pack("", self._update, self._pack, progress=self._hear)
        except SendPackError as error:
            raise refused_push.unpacking_failed(self.ref, error) from error
        except ForgeError as error:
            lost = isinstance(error, LostAnswerError) or error.status >= _SERVER_ERROR
            if self.begun and lost:
                raise _unknown(self.ref, error.message) from error
            raise

    def _update(self, refs: Mapping[Any, ObjectID]) -> dict[Any, ObjectID]:
        seen = _sha(refs.get(self.ref.encode(), ObjectID(ZERO.encode())))
        if seen != self.old:
            raise _stale(self.ref, self.old, seen)
        return {self.ref.encode(): ObjectID(self.new.encode())}

    def _pack(
        self, have: object, want: object, **_: object
    ) -> tuple[int, Iterator[UnpackedObject]]:
        """Give exactly the objects; dulwich calls this just before it sends."""
        del have, want
        self.begun = True
        return pack_objects_to_data(list(self.objects))

    def _hear(self, said: bytes) -> None:
        if len(self.said) < _MOST_SAID:
            self.said += said


@contextmanager
def _plain_errors(what: str) -> Iterator[None]:
    """Turn dulwich's errors about a reply that makes no sense into one of ours."""
    try:
        yield
    except SendPackError:
        raise
    except _GARBAGE as error:
        raise LostAnswerError(
            f"GitLab answered for {what} what is not Git's protocol: {one_line(str(error))}",
            code="gitlab-answer",
            hint="Check that the address is a GitLab's and that no proxy answers in its place.",
        ) from error


def _unknown(ref: str, reason: str) -> UnknownOutcomeError:
    return UnknownOutcomeError(
        f"it is not known whether the push to {one_line(ref)} happened: {reason}",
        code="outcome-unknown",
        hint="Run the same command again: it looks first and does nothing twice.",
    )


def _stale(ref: str, old: Sha, seen: Sha) -> StaleRefError:
    stands = "does not exist" if seen == ZERO else f"stands at {short(seen)}"
    expected = "not to exist" if old == ZERO else f"at {short(old)}"
    return StaleRefError(
        f"{ref} {stands}, but was expected {expected}; nothing was pushed",
        code="branch-moved",
        hint="Somebody else pushed: run `hotfix plan` again and have the new plan reviewed.",
    )


def _named(refs: Mapping[Any, ObjectID | None], start: bytes) -> dict[str, Sha]:
    """Return refs by name; an unborn branch has no id, and ``^{}`` is what a tag points to."""
    return {
        name.decode("utf-8", "backslashreplace"): _sha(oid)
        for name, oid in refs.items()
        if oid is not None and name.startswith(start) and not name.endswith(b"^{}")
    }


def _sha(oid: bytes) -> Sha:
    text = oid.decode("ascii")
    if not re.match(SHA_PATTERN, text):
        raise ValueError(f"{one_line(text)} is no commit id of 40 hex digits")
    return Sha(text)
