"""How far a hotfix reaches: files, lines, folders, and whose they are.

What production has is compared with what the branch will have, so it is the whole of what goes out,
whatever commits it is made of. The owners are those of production's ``CODEOWNERS``.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from hotfix.git.codeowners import CODEOWNERS, read_owners
from hotfix.git.numstat import numstat
from hotfix.git.objects import read_blob
from hotfix.git.rules import Effort
from hotfix.git.trees import EXECUTABLE, FILE, entry_at
from hotfix.plan.model import BlastRadius, Share

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hotfix.git.codeowners import Owners
    from hotfix.git.objects import ObjectReader
    from hotfix.identifiers import Sha

_STEPS: Final = 1_000_000
"""What counting lines may cost, in the steps of a merge: a second or so."""
_LEVELS: Final = 2
"""How many folders down a service is told from its neighbours."""
_MOST_BYTES: Final = 1 << 20
_ROOT: Final = "(root)"
_NOBODY: Final = "nobody"


def blast_radius(reader: ObjectReader, *, production: Sha, result: Sha) -> BlastRadius:
    """Measure what two trees differ in; pure over the object reader."""
    files = list(numstat(reader, production, result, Effort(_STEPS)))
    owners = _owners(reader, production)
    counted = [each for each in files if each.added is not None and each.removed is not None]
    return BlastRadius(
        files=len(files),
        added=sum(each.added or 0 for each in counted),
        removed=sum(each.removed or 0 for each in counted),
        uncounted=len(files) - len(counted),
        folders=_shares(_folder(each.path) for each in files),
        owners=None
        if owners is None
        else _shares(
            name for each in files for name in dict.fromkeys(owners.of(each.path) or (_NOBODY,))
        ),
    )


def _owners(reader: ObjectReader, tree: Sha) -> Owners | None:
    """Read the first of the files that GitLab looks for; ``None`` where there is none."""
    for path in CODEOWNERS:
        entry = entry_at(reader, tree, path)
        if entry is not None and entry.mode in {FILE, EXECUTABLE}:
            data = read_blob(reader, entry.oid)[:_MOST_BYTES]
            return read_owners(data.decode("utf-8", "replace"))
    return None


def _folder(path: str) -> str:
    return "/".join(path.split("/")[:-1][:_LEVELS]) or _ROOT


def _shares(names: Iterable[str]) -> tuple[Share, ...]:
    counts = Counter(names)
    return tuple(
        Share(name=name, files=counts[name])
        for name in sorted(counts, key=lambda each: (-counts[each], each))
    )
