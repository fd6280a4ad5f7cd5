"""Write changed knobs into the source; every other character stays.

LibCST finds the places and builds the copied layers; the text is spliced, so formatting,
comments and quotes are what they were. What was written is read again: a tweak that does not
say what it should is an error and never a commit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pushtrain.analysis.code_reading import BOM, parse, python_text
from pushtrain.analysis.knob_sites import Edit, KnobSite
from pushtrain.analysis.knobs import find_sites
from pushtrain.analysis.notebooks import is_notebook, to_python
from pushtrain.analysis.positions import SourceText
from pushtrain.errors import ScriptError
from pushtrain.history import Change, Knob
from pushtrain.tuning.splices import spliced

# A layer that is repeated is repeated with its new width and its new Dropout.
_STAGES = (frozenset({Edit.REPLACE, Edit.INSERT}), frozenset({Edit.ADD}), frozenset({Edit.REPEAT}))


class RewriteError(ValueError):
    """What would have been written does not say what it should; nothing was written."""


def rewrite(
    sources: Mapping[str, str], script: str, knobs: Sequence[Knob], changes: Sequence[Change]
) -> dict[str, str]:
    """Return the new text of the files that the changes touch.

    Args:
        sources: The repo's Python files and notebooks, text by posix path.
        script: Path of the script in the repo.
        knobs: The knobs that the changes speak of, as found in these very sources.
        changes: New values.

    Raises:
        ValueError: A change names a knob that is not in the sources, or not with that value.
        RewriteError: The new text does not parse or its knobs have other values than they should.
        ScriptError: A file does not parse.
    """
    before = {site.knob.id: site for site in find_sites(script, sources)}
    _check_changes(script, before, {knob.id for knob in knobs}, changes)
    written: dict[str, str] = {}
    sites = before
    for stage in _STAGES:
        mine = [c for c in changes if before[c.knob].edit in stage]
        if mine:
            if written:
                sites = _found_again(script, {**sources, **written}, changes)
            written |= _written({**sources, **written}, sites, mine)
    after = _found_again(script, {**sources, **written}, changes)
    _check_values(before, after, changes)
    return written


def rewrite_sites(
    sources: Mapping[str, str], changed: Sequence[tuple[KnobSite, Change]]
) -> dict[str, str]:
    """Return new text of the files in which some places of these very sources change.

    Args:
        sources: The repo's Python files and notebooks, text by posix path.
        changed: Places that need not be knobs, with their new values.

    Raises:
        RewriteError: The new text does not parse.
    """
    by_file: dict[str, list[tuple[KnobSite, Change]]] = {}
    for site, change in changed:
        by_file.setdefault(site.knob.file, []).append((site, change))
    return {path: _rewritten(path, sources[path], edits) for path, edits in by_file.items()}


def _check_changes(
    script: str, places: Mapping[str, KnobSite], known: set[str], changes: Sequence[Change]
) -> None:
    for change in changes:
        site = places.get(change.knob)
        if site is None or change.knob not in known or site.knob.value != change.old:
            raise ValueError(
                f"knob {change.knob!r} with value {change.old!r} is not in {script}: "
                "find the knobs again in the sources that are to be changed"
            )


def _written(
    sources: Mapping[str, str], sites: Mapping[str, KnobSite], changes: Sequence[Change]
) -> dict[str, str]:
    edits: dict[str, list[tuple[KnobSite, Change]]] = {}
    for change in changes:
        site = sites.get(change.knob)
        if site is None:
            raise RewriteError(f"knob {change.knob!r} is gone after the other changes")
        edits.setdefault(site.knob.file, []).append((site, change))
    return {path: _rewritten(path, sources[path], mine) for path, mine in edits.items()}


def _rewritten(path: str, source: str, edits: Sequence[tuple[KnobSite, Change]]) -> str:
    text = SourceText(python_text(path, source))
    new = spliced(text, edits)
    try:
        parse(path, new if not is_notebook(path) else to_python(source, path).with_python(new))
    except ScriptError as err:
        raise RewriteError(f"{_told(edits)} would break {path}: {err}") from err
    if is_notebook(path):
        return to_python(source, path).with_python(new)
    return BOM + new if source.startswith(BOM) else new


def _found_again(
    script: str, sources: Mapping[str, str], changes: Sequence[Change]
) -> dict[str, KnobSite]:
    try:
        return {site.knob.id: site for site in find_sites(script, sources)}
    except ScriptError as err:
        said = ", ".join(c.label or c.knob for c in changes)
        raise RewriteError(f"{said} would break {script}: {err}") from err


def _check_values(
    before: Mapping[str, KnobSite], after: Mapping[str, KnobSite], changes: Sequence[Change]
) -> None:
    """Check that the changed knobs have their new values and all others the old ones."""
    wanted = {name: site.knob.value for name, site in before.items()}
    wanted |= {change.knob: change.new for change in changes}
    for name, value in wanted.items():
        found = after[name].knob.value if name in after else "gone"
        if found != value:
            raise RewriteError(
                f"knob {name!r} should be {value!r} in the new text but is {found!r}"
            )


def _told(edits: Sequence[tuple[KnobSite, Change]]) -> str:
    return ", ".join(change.label or change.knob for _, change in edits)
