"""The About page: what this is, whose it is, what it cannot do. Draws only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ui.version import source_address, version
from ui.web import pieces

if TYPE_CHECKING:
    from ui.services import Services
    from ui.views import Status

LICENCES = (
    ("Folio", "AGPL-3.0-or-later"),
    ("PyMuPDF, reads PDF files", "AGPL-3.0"),
    ("Streamlit, draws these pages", "Apache-2.0"),
    ("Qdrant, keeps the index", "Apache-2.0"),
    ("all-MiniLM-L6-v2, built-in search model", "Apache-2.0"),
    ("nomic-embed text and vision, optional search models", "Apache-2.0"),
    ("CLIP ViT-B/32, optional search model for pictures", "MIT"),
    ("SigLIP 2, optional search model for pictures", "Apache-2.0"),
    ("EmbeddingGemma 2, optional search model", "Apache-2.0"),
    ("Jina CLIP v2, optional search model; no commercial use", "CC BY-NC 4.0"),
    ("ONNX Runtime, runs it", "MIT"),
    ("LiteLLM, speaks to language models", "MIT"),
    ("Inter, typeface", "SIL OFL 1.1"),
    ("Source Serif, typeface", "SIL OFL 1.1"),
)

LIMITS = (
    "An answer can be wrong. Numbers and names are checked against the cited place, meaning is not."
    " Open the source before you rely on a sentence.",
    "With the built-in search model, pictures are found by their words: caption, labels, heading.",
    "Scanned pages without a text layer are kept as pictures; their letters are not read.",
    "Web pages are shown as their text and pictures, not with their own layout.",
)


def show(services: Services) -> None:
    """Draw the page."""
    status = services.status()
    with st.container(key="column"):
        st.html(pieces.title("About Folio"))
        st.html(
            pieces.lead(
                "Folio answers questions from your own documents, from their text and their"
                " pictures, and shows the place that each sentence rests on."
            )
        )
        st.html(pieces.meta(f"Version {version()}"))
        # AGPL section 13: whoever uses this over a network is offered its source.
        st.markdown(f"[Source of this version]({source_address()}), AGPL-3.0-or-later")
        st.html(pieces.section("Where things happen") + pieces.bullets(_whereabouts(status)))
        st.html(pieces.section("Limits") + pieces.bullets(_limits(services)))
        st.html(pieces.section("Licences") + pieces.table(("Part", "Licence"), LICENCES))


def _whereabouts(status: Status) -> list[str]:
    answers = (
        f"Questions and the sources found for them are sent to the model {status.model}"
        f" ({status.reason})."
        if status.model
        else f"Answers are quotes, made on this computer ({status.reason})."
    )
    files = "Files are read, searched and kept on this computer."
    if status.sent_to:
        files = (
            f"Files are read and kept on this computer; their texts and pictures are sent to"
            f" {status.sent_to} to be made searchable."
        )
    return [files, answers]


def _limits(services: Services) -> list[str]:
    limits = services.settings.ingest
    sizes = (
        f"Files up to {limits.max_file_mb} MB, {limits.max_pages:,} pages and"
        f" {limits.max_images:,} pictures."
    )
    return [sizes, *LIMITS]
