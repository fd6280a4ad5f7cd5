"""Finds what goes into an image, so that its tag can be derived from the content."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

TAG_LENGTH = 12
SKIPPED = frozenset({"__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache"})


def copied_paths(dockerfile: str, build_args: Mapping[str, str]) -> list[str]:
    """Return the sources of all COPY and ADD instructions, relative to the context.

    Args:
        dockerfile: Its text.
        build_args: Values that win over the defaults of its ARG instructions.
    """
    values: dict[str, str] = {}
    found: list[str] = []
    for line in re.sub(r"\\\n", " ", dockerfile).splitlines():
        words = line.split()
        match words:
            case ["ARG", setting, *_]:
                name, _, default = setting.partition("=")
                values[name] = build_args.get(name, default)
            case ["COPY" | "ADD", *rest] if not any(w.startswith("--from=") for w in rest):
                sources = [w for w in rest if not w.startswith("--")][:-1]
                found += [_expand(source, values) for source in sources]
    return found


def _expand(text: str, values: Mapping[str, str]) -> str:
    return re.sub(r"\$\{?(\w+)\}?", lambda match: values.get(match[1], ""), text)


def content_tag(
    context: Path, dockerfile: Path, build_args: Mapping[str, str], base_id: str
) -> str:
    """Return the tag of the image that these inputs make: equal inputs, equal tag."""
    text = dockerfile.read_text(encoding="utf-8")
    digest = hashlib.sha256(f"{base_id}\n{sorted(build_args.items())}\n{text}".encode())
    for source in sorted(copied_paths(text, build_args)):
        for path in _files(context, source):
            mode = "x" if path.stat().st_mode & 0o100 else "-"
            digest.update(f"\0{path.relative_to(context)}\0{mode}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:TAG_LENGTH]


def _files(context: Path, source: str) -> Iterator[Path]:
    for found in sorted(context.glob(source.rstrip("/"))) if source != "." else [context]:
        paths = [found] if found.is_file() else sorted(found.rglob("*"))
        yield from (p for p in paths if p.is_file() and not SKIPPED.intersection(p.parts))
