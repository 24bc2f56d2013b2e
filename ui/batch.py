"""Files of one drop on their way into the library, beside the page. Never calls Streamlit.

Two hundred files take seconds to be written out; a page that did it itself would stand
still. Knows names, bytes and what became of them; nothing of reading.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.errors import RagError
from rag.library.documents import shown_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from ui.folder import Incoming
    from ui.views import Added


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one file."""

    name: str
    document_id: UUID | None = None  # None when it was refused
    same_as: str = ""  # the document that has its content
    is_same_name: bool = False  # another document had its name; a question waits
    refusal: str = ""
    is_fault: bool = False  # ours, not the file's


class Batch:
    """Hands files over one after the other in a thread of its own.

    Args:
        files: Let go of as soon as they are written out.
        add: Takes one in, or refuses it.
        describe: Turns an unforeseen error into a sentence with a reference.
        left_out: Suffix of each file of a folder that is of no type that is read.
        is_folder: Whether a whole folder was chosen.
    """

    def __init__(
        self,
        files: Sequence[Incoming],
        add: Callable[[Incoming], Added],
        *,
        describe: Callable[[BaseException], str],
        left_out: Sequence[str] = (),
        is_folder: bool = False,
    ) -> None:
        self.total = len(files)
        self.left_out = tuple(left_out)
        self.is_folder = is_folder
        self._files = list(reversed(files))
        self._add = add
        self._describe = describe
        self._outcomes: list[Outcome] = []
        self._over = threading.Event()

    def start(self, wait_s: float = 0.0) -> None:
        """Begin; returns when it is over, or after this time."""
        threading.Thread(target=self._work, name="uploads", daemon=True).start()
        self._over.wait(wait_s)

    @property
    def is_over(self) -> bool:
        """Whether every file has its outcome."""
        return self._over.is_set()

    @property
    def done(self) -> int:
        """How many have one."""
        return len(self._outcomes)

    def outcomes(self) -> list[Outcome]:
        """In the order of the files."""
        return list(self._outcomes)

    def _work(self) -> None:
        try:
            while self._files:
                self._outcomes.append(self._take(self._files.pop()))
        finally:
            self._over.set()

    def _take(self, file: Incoming) -> Outcome:
        name = shown_name(file.name)
        try:
            added = self._add(file)
        except RagError as error:
            return Outcome(name=name, refusal=str(error))
        except Exception as error:  # noqa: BLE001 - the rim of one upload; `describe` logs it
            return Outcome(name=name, refusal=self._describe(error), is_fault=True)
        return Outcome(
            name=name,
            document_id=added.document_id,
            same_as=added.duplicate_of or "",
            is_same_name=added.same_name_as is not None,
        )
