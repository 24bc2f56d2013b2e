"""What a visitor sees when our own code fails. Knows a reference, never shows a traceback."""

from __future__ import annotations

import logging
import secrets

import streamlit as st

from ui.web import pieces

logger = logging.getLogger(__name__)


def new_reference() -> str:
    """Four characters that a visitor can quote and that stand in the log."""
    return secrets.token_hex(2).upper()


def sentence(reference: str) -> str:
    """The words for a failure that has no better ones."""
    return f"Something went wrong (ref {reference}). Your documents are safe."


def log(error: BaseException) -> str:
    """Write the error to the log under a new reference and return the reference."""
    reference = new_reference()
    logger.error("failed ref=%s", reference, exc_info=error)
    return reference


def show(error: BaseException) -> None:
    """Draw our own message in place of Streamlit's."""
    words = sentence(log(error))
    st.html(pieces.note("err", words, "Reload the page to go on."))
