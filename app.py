"""The script that Streamlit runs for each visitor; everything it draws is in `ui.web`."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from ui.web import page

st.set_page_config(
    page_title="Folio",
    page_icon=str(Path(page.__file__).parent / "static" / "icon.png"),
    layout="wide",
)
page.render()
