"""Words whose definition only the main line has, told by the words alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from hotfix.git.gap import words
from hotfix.git.gap.model import Gap, Gaps, Use
from hotfix.git.gap.python import is_common, read_python
from hotfix.git.gap.sources import CONFIG, PYTHON, family, is_test

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hotfix.git.gap.model import AddedFile
    from hotfix.git.gap.sides import Differing, Sides


def defined_elsewhere(files: Sequence[AddedFile], sides: Sides) -> Gaps:
    """Find the words of added lines that only the main line's side of what differs defines.

    A word that stood in the file before means something here, and so does one that any of the files
    that differ has as it is on the branch. Nothing is read where no word asks for it.
    """
    used = _used(files)
    families = [kind for kind, names in used.names.items() if names]
    families += [CONFIG] if used.keys else []
    if not families:
        return Gaps(())
    chosen = sides.chosen(families, [file.path for file in files])
    sides.bring(each.there for each in chosen.files)
    hits = list(_hits(used, sides, chosen.files))
    if hits:
        sides.bring(each.here for each in chosen.files)
        hits = list(_unknown(hits, sides, chosen.files))
    return Gaps(tuple(hits), len(chosen.files), chosen.of)


class _Used(NamedTuple):
    """What added lines use and their files did not have before, with the first place of each."""

    names: dict[str, dict[str, Use]]
    """Identifiers, by the family of the language."""
    keys: dict[str, Use]
    """Texts that may be keys of a configuration."""


def _used(files: Sequence[AddedFile]) -> _Used:
    own = {word for file in files for word in words.bound(file.lines)}
    found = _Used({}, {})
    for file in files:
        kind = family(file.path)
        if kind is None or kind == CONFIG or is_test(file.path):
            continue
        known = words.words_of(file.before) | own
        names = found.names.setdefault(kind, {})
        for word, line in _identifiers(file, kind):
            if word not in known and words.is_distinct(word):
                names.setdefault(word, Use(word, file.pick, file.path, line))
        for text, line in words.literals(file.lines):
            if words.is_key(text) and text not in file.before:
                found.keys.setdefault(text, Use(text, file.pick, file.path, line))
    return found


def _identifiers(file: AddedFile, kind: str) -> Iterator[tuple[str, int]]:
    parsed = read_python(file.after) if kind == PYTHON else None
    if parsed is None:
        yield from words.used(file.lines)
        return
    # Names are told by the grammar; what an attribute or an argument belongs to is not.
    added = {number for number, _ in file.lines}
    for _, name, line in parsed.attributes:
        if line in added and not is_common(name):
            yield name, line
    yield from ((name, line) for name, line in parsed.keywords if line in added)


def _unknown(hits: Sequence[Gap], sides: Sides, searched: Sequence[Differing]) -> Iterator[Gap]:
    """Leave out the words that the branch knows."""
    here = [(family(each.path) == CONFIG, sides.text(each.here)) for each in searched]
    known = {word for _, text in here for word in words.words_of(text)}
    keys = {key for is_config, text in here if is_config for key in words.keys(text)}
    yield from (hit for hit in hits if hit.use.word not in (keys if hit.kind == "key" else known))


def _hits(used: _Used, sides: Sides, searched: Sequence[Differing]) -> Iterator[Gap]:
    for each in searched:
        kind = family(each.path)
        text = sides.text(each.there)
        if kind == CONFIG:
            for key in dict.fromkeys(words.keys(text)):
                if key in used.keys:
                    yield Gap("key", used.keys[key], each.path)
        elif not (names := used.names.get(kind or "", {})).keys().isdisjoint(words.words_of(text)):
            for word in dict.fromkeys(words.defined(text)):
                if word in names:
                    yield Gap("name", names[word], each.path)
