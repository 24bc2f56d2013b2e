"""Questions to try, made from what is in the library."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from rag.library import Library

MAX_SUGGESTIONS = 4
_KINDS = ("text", "figure", "table", "unanswerable")
MAX_CAPTION_CHARACTERS = 90


def suggest(library: Library, workspace: str, sample_dir: Path) -> list[str]:
    """Up to four questions: of the sample set when it is loaded, else about captions."""
    names = {d.name for d in library.documents.all(workspace) if d.state == "ready"}
    if not names:
        return []
    sample = _sample_questions(sample_dir / "questions.jsonl", names)
    return sample or _caption_questions(library, workspace)


def _sample_questions(path: Path, names: set[str]) -> list[str]:
    if not path.exists():
        return []
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
    first: dict[str, str] = {}
    for row in rows:
        if row["doc"] in names:
            first.setdefault(row["kind"], row["question"])
    return [first[kind] for kind in _KINDS if kind in first]


def _caption_questions(library: Library, workspace: str) -> list[str]:
    captions = [item.caption for item in library.items.captioned(workspace, 40)]
    short = [c for c in dict.fromkeys(captions) if 12 <= len(c) <= MAX_CAPTION_CHARACTERS]
    return [f"What is shown in “{caption.rstrip('.')}”?" for caption in short[:MAX_SUGGESTIONS]]
