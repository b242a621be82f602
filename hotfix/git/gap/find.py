"""Find what picks use that the main line has and the branch will lack, though they are clean."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from hotfix.git.gap.added import added_files, changed_sources
from hotfix.git.gap.defined import defined_elsewhere
from hotfix.git.gap.migrations import missing_parents
from hotfix.git.gap.model import Gaps
from hotfix.git.gap.modules import python_gaps
from hotfix.git.gap.named import named_files
from hotfix.git.gap.pins import missing_packages
from hotfix.git.gap.sides import Sides
from hotfix.git.needed import Change, Line, bring_for
from hotfix.git.rules import TooMuchWorkError
from hotfix.git.trees import UnsafeTreeError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hotfix.git.gap.model import AddedFile, Gap, Picked
    from hotfix.git.objects import ObjectReader
    from hotfix.identifiers import Sha

_LAST: Final = re.compile(r"[^./]+|.")
"""The last part of a path or of a dotted name: whoever imports a file mostly uses its name, too."""


def find_gaps(reader: ObjectReader, *, picks: Sequence[Picked], result: Sha, main: Sha) -> Gaps:
    """Hold the lines that picks add against the trees of the main line and of the branch.

    A word only counts where the main line has it and the branch will not. So nothing is read but
    what differs between the two, and for words not more than ``MOST_FILES`` of that, those nearest
    to the files of the picks. Each word is told once for a file. What cannot be searched is no
    reason to refuse a plan; it says so.
    """
    try:
        return _found(reader, picks, result, main)
    except TooMuchWorkError:
        return Gaps((), hindered="what the picks change takes too long to compare")
    except UnsafeTreeError as error:
        return Gaps((), hindered=error.message)


def _found(reader: ObjectReader, picks: Sequence[Picked], result: Sha, main: Sha) -> Gaps:
    changes = [Change(*pick) for pick in (*picks, (result, main))]
    bring_for(reader, [Line(None, (change,)) for change in changes])
    sides = Sides(reader, result=result, main=main)
    changed = [*changed_sources(reader, picks)] if sides.differing else []
    sides.bring(side for each in changed for side in (each.old, each.new))
    files = tuple(added_files(changed, sides))
    defined = defined_elsewhere(files, sides)
    found: dict[tuple[str, str], Gap] = {}
    for gap in (*_told_for_sure(files, sides), *defined.found):
        found.setdefault((gap.use.path, _LAST.findall(gap.use.word)[-1]), gap)
    return defined._replace(found=tuple(found.values()))


def _told_for_sure(files: Sequence[AddedFile], sides: Sides) -> Iterator[Gap]:
    """Yield what is told by a grammar or a path, and not by words alone."""
    yield from python_gaps(files, sides)
    yield from missing_parents(files, sides)
    yield from named_files(files, sides)
    yield from missing_packages(files, sides)
