"""A ref of ours that holds a JSON document: the message of the commit that it points to.

It is moved by compare-and-swap in the target's own repository. The same right is needed for the
work anyway, and the swap is atomic on the server (GitLab docs: custom refs need push rights and no
more).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from hotfix.forge.protocol import NotFoundError
from hotfix.git.commits import Identity, read_commit
from hotfix.git.record import make_record
from hotfix.identifiers import ZERO

if TYPE_CHECKING:
    from datetime import datetime

    from hotfix.forge.protocol import Repository
    from hotfix.identifiers import Sha

_TOOL: Final = Identity("hotfix", "hotfix@noreply.invalid")


class Record(NamedTuple):
    """What the ref points to; the document is None where it cannot be read."""

    sha: Sha
    document: Any


class RecordRef:
    """One ref."""

    def __init__(self, repository: Repository, ref: str) -> None:
        self._repository = repository
        self.ref = ref
        self._written: dict[Sha, Any] = {}

    def read(self) -> Record | None:
        """Tell what stands there, ``None`` where the ref is not."""
        sha = self._repository.refs(self.ref).get(self.ref)
        if sha is None:
            return None
        if sha not in self._written:
            self._written[sha] = self._fetch(sha)
        return Record(sha, self._written[sha])

    def write(self, old: Sha, document: Any, now: datetime) -> Sha:  # noqa: ANN401  (any JSON value)
        """Put a document in the place of what stood there; raises as a push does."""
        new, objects = make_record(json.dumps(document, sort_keys=True), _TOOL, now)
        self._written[new] = document
        self._repository.push(self.ref, old=old, new=new, objects=objects)
        return new

    def delete(self, old: Sha) -> None:
        """Delete the ref where it stands at ``old``; raises as a push does."""
        self._repository.push(self.ref, old=old, new=ZERO, objects=())

    def _fetch(self, sha: Sha) -> Any:  # noqa: ANN401  (any JSON value)
        try:
            return json.loads(read_commit(self._repository.fetch((sha,)), sha).message)
        except (NotFoundError, ValueError):
            return None
