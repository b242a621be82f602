"""Git over HTTPS with no working tree: refs, fetch and push, lean enough for any repository.

The token goes along as the password of user ``oauth2`` with the first request (GitLab docs,
"Personal access tokens"; a first try without it would count against the limit for strangers). It
goes to GitLab's own origin only. docs/decisions/0006-lean-fetch.md tells what is asked for when.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from dulwich.object_format import DEFAULT_OBJECT_FORMAT
from dulwich.pack import write_pack_objects

from hotfix.errors import InputError
from hotfix.forge import refused_push
from hotfix.forge.network import LostAnswerError, ca_bundle, origin, trusted
from hotfix.forge.objects import LazyObjects
from hotfix.forge.protocol import ForgeError, NotFoundError, StaleRefError, UnknownOutcomeError
from hotfix.forge.retry import patiently, transient
from hotfix.forge.smart_http import SmartHttp
from hotfix.forge.wire import Wire
from hotfix.identifiers import ZERO, Sha, short
from hotfix.text import one_line

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from hotfix.forge.bulk import WholeBranches
    from hotfix.forge.cache import Cache
    from hotfix.forge.protocol import Telling
    from hotfix.forge.smart_http import Report, Want
    from hotfix.git.objects import GitObject, ObjectReader

T = TypeVar("T")

_BRANCHES = "refs/heads/"
_REDIRECTS = range(300, 400)
_SERVER_ERROR = 500


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
        trust: Callable[[], ssl.SSLContext] = lambda: trusted(ca_bundle()),
        cache: Cache | None = None,
        telling: Telling | None = None,
    ) -> None:
        self._url = _check_home(url, gitlab)
        self._git = SmartHttp(url, Wire(url, token, timeout=timeout, trust=trust))
        self._sleep = sleep
        self._cache = cache
        self._telling = telling or _Silent()
        self._objects: LazyObjects | WholeBranches | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._url!r})"

    def refs(self, prefix: str = _BRANCHES) -> Mapping[str, Sha]:
        """List the refs whose full name begins with the prefix."""
        return self._read(lambda: self._git.refs(prefix))

    def fetch(self, commits: Sequence[Sha]) -> ObjectReader:
        """Open commits for reading; what belongs to them comes when it is read.

        They are asked for by their ids, which GitLab allows for any commit that it keeps. From a
        server that gives no single objects all is fetched that may be read, and the operator is
        told.
        """
        if self._objects is None:
            self._objects = self._opened()
        absent = self._objects.open(commits)
        if absent:
            raise NotFoundError(
                f"{self._url} does not have {', '.join(absent)}",
                status=404,
                code="commit-not-found",
                hint="Check the ids; a commit that no branch holds any more may be gone.",
            )
        return self._objects

    def push(self, ref: str, *, old: Sha, new: Sha, objects: Sequence[GitObject]) -> None:
        """Move one ref in one request, the old id being compared here and by the server."""
        attempt = _Push(ref, old, new, objects)
        report = patiently(
            lambda: attempt.send(self._git),
            lambda error: not attempt.begun and transient(error),
            self._sleep,
        )
        if report is not None:
            self._judge(report, ref, old)

    def _judge(self, report: Report, ref: str, old: Sha) -> None:
        """Take the server's word on the ref: done, refused, or moved by somebody meanwhile."""
        if report.unpacked not in {None, "ok"}:
            raise refused_push.unpacking_failed(ref, report.unpacked or "")
        if report.unpacked is None or ref not in report.refs:
            raise _unknown(ref, "GitLab did not report on the ref")
        reason = report.refs[ref]
        if reason is None:
            return
        if not refused_push.is_of_a_hook(reason) and (seen := self._look(ref)) not in {None, old}:
            raise _stale(ref, old, seen)
        raise refused_push.refusal(ref, reason, bytes(report.said))

    def _look(self, ref: str) -> Sha | None:
        """Tell where a ref stands; ``None`` where that cannot be learned either."""
        try:
            return self.refs(ref).get(ref, ZERO)
        except ForgeError:
            return None

    def _opened(self) -> LazyObjects | WholeBranches:
        if self._read(self._git.is_exact):
            return LazyObjects(self._pack, self._cache, self._url)
        from hotfix.forge.bulk import WholeBranches  # noqa: PLC0415  (GitLab needs it not)

        self._telling.notice(
            f"{self._url} gives no single objects: it has no filters (uploadpack.allowFilter) or "
            "gives none by their ids (uploadpack.allowAnySHA1InWant), so more has to be fetched"
        )
        tips = lambda: sorted(set(self.refs().values()) - {ZERO})  # noqa: E731  (handed on)
        return WholeBranches(self._git.fetch, tips, self._read, self._telling.notice)

    def _pack(self, want: Want, what: str) -> bytes:
        def attempt() -> bytes:
            pack = bytearray()
            self._git.fetch(want, pack.extend)
            return bytes(pack)

        with self._telling.waiting(f"fetching {what} from {self._url}"):
            return self._read(attempt)

    def _read(self, attempt: Callable[[], T]) -> T:
        return patiently(attempt, transient, self._sleep)


class _Silent:
    """A ``Telling`` where nobody listens."""

    def notice(self, text: str) -> None:
        """Say nothing."""

    def waiting(self, what: str) -> AbstractContextManager[None]:
        """Show nothing."""
        del what
        return nullcontext()


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

    def send(self, git: SmartHttp) -> Report | None:
        """Ask where the ref stands, compare, and send the move and the objects."""
        try:
            return git.push(self.ref, self._decide)
        except ForgeError as error:
            # A redirect is no refusal: a proxy's log-in page may stand in the answer's place.
            lost = isinstance(error, LostAnswerError) or error.status >= _SERVER_ERROR
            if self.begun and (lost or error.status in _REDIRECTS):
                raise _unknown(self.ref, error.message) from error
            raise

    def _decide(self, seen: Sha) -> tuple[Sha, Callable[[], bytes]] | None:
        if seen != self.old:
            raise _stale(self.ref, self.old, seen)
        if self.old == self.new:
            return None
        return self.new, self._pack

    def _pack(self) -> bytes:
        """Give exactly the objects; this is called just before they are sent."""
        self.begun = True
        parts: list[bytes] = []
        write_pack_objects(parts.append, list(self.objects), DEFAULT_OBJECT_FORMAT, deltify=False)
        return b"".join(parts)


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
