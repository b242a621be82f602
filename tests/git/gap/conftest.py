"""A fix on a main line that went on, picked onto production."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from hotfix.git.gap.find import find_gaps
from hotfix.git.gap.model import Picked
from tests.git.making import Store

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hotfix.git.gap.model import Gap, Gaps
    from tests.git.making import Content, Files


@dataclass
class Story:
    """What production has, what the main line has more, and what the fix changes in both.

    A file with ``None`` is one that the main line took away.
    """

    production: Files = field(default_factory=dict)
    main: Mapping[str, Content | None] = field(default_factory=dict)
    fix: Files = field(default_factory=dict)
    there: Files = field(default_factory=dict)
    """Files of the fix that look otherwise on the main line, which changed them, too."""
    store: Store = field(default_factory=Store)

    def gaps(self) -> Gaps:
        both = {**self.production, **self.main, **self.fix, **self.there}
        main = self.store.tree({path: each for path, each in both.items() if each is not None})
        before = self.store.tree(self.production)
        after = self.store.tree({**self.production, **self.fix})
        return find_gaps(self.store, picks=[Picked(before, after)], result=after, main=main)

    def found(self) -> list[tuple[str, str, str]]:
        """Return of each gap its kind, its word, and where the main line has it."""
        return [(gap.kind, gap.use.word, gap.there) for gap in self.gaps().found]

    def only(self) -> Gap:
        (gap,) = self.gaps().found
        return gap


@pytest.fixture
def story() -> Story:
    return Story()
