"""Parts of a page that are drawn anew by themselves until what they tell of is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from collections.abc import Callable

POLL_S = 1.0


def until(
    is_over: Callable[[], bool], draw: Callable[[], object], *, every_s: float = POLL_S
) -> None:
    """Draw now and every so many seconds; once it is over, the whole page is drawn anew.

    Not before the first turn of the poll: within the run of the whole page a new one would
    cut off whatever comes after this, a question that was just put among it.
    """
    is_polled = False

    @st.fragment(run_every=every_s)
    def redraw() -> None:
        nonlocal is_polled
        if is_polled and is_over():
            st.rerun()
        is_polled = True
        draw()

    redraw()
