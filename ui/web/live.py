"""Four pieces of JavaScript: citation clicks, a live region, scrolling to a new question, dusk.

They get data, never HTML. Registered once, here, at module level.
"""

from __future__ import annotations

import re
from typing import Any, cast

import streamlit as st

from ui.web import state

_LINK = re.compile(r"(\d{1,4})-(\d{1,3})")

# A `js` string on one line is taken for a file name: it starts with a line break.
_CLICKS = """
export default ({ setTriggerValue }) => {
  const onClick = (event) => {
    const link = event.target.closest?.('a[href^="#cite-"]');
    if (!link) return;
    event.preventDefault();
    setTriggerValue('cite', link.getAttribute('href').slice(6));
  };
  document.addEventListener('click', onClick, true);
  return () => document.removeEventListener('click', onClick, true);
};
"""

# The node stays over redraws; a node that is replaced is not read out.
_REGION = """
export default ({ data, parentElement }) => {
  let region = parentElement.querySelector('[role=status]');
  if (!region) {
    region = document.createElement('div');
    region.setAttribute('role', 'status');
    region.setAttribute('aria-live', 'polite');
    region.className = 'f-hidden';
    parentElement.appendChild(region);
  }
  const words = String(data ?? '');
  if (region.textContent !== words) region.textContent = words;
};
"""

# A new question would otherwise appear below what is in sight. Tried for a second,
# because the turn is drawn after this runs; a turn that was shown before is left alone.
# When the answer is there, the chat box is open again: the keyboard goes on from it, unless
# it is somewhere else already. Not on a touch screen, where a keyboard would cover the answer.
_SCROLL = """
export default ({ data }) => {
  const turn = Number(data);
  const box = () => document.querySelector('[data-testid=stChatInputTextArea]:not([disabled])');
  const isFree = () => !document.activeElement || document.activeElement === document.body;
  if (turn < 0 && window.folioTurn >= 0 && matchMedia('(pointer: fine)').matches) {
    let tries = 20;
    const go = () => {
      if (!isFree()) return;
      if (box()) box().focus({ preventScroll: true });
      else if (tries--) setTimeout(go, 50);
    };
    go();
  }
  if (turn < 0) window.folioTurn = -1;
  if (!(turn >= 0) || window.folioTurn === turn) return;
  window.folioTurn = turn;
  let tries = 20;
  const look = () => {
    const place = document.querySelector('.st-key-turn-' + turn);
    if (place) place.scrollIntoView({ block: 'start' });
    else if (tries--) setTimeout(look, 50);
  };
  look();
};
"""

# Streamlit follows a browser that turns dark, on its app element and without a run; dialogs
# lie outside of it. What `page` says of the root holds for the first paint.
_DUSK = """
export default () => {
  const app = document.querySelector('[data-testid=stApp]');
  if (!app) return;
  const root = document.documentElement;
  const follow = () => { root.style.colorScheme = getComputedStyle(app).colorScheme; };
  const watch = new MutationObserver(follow);
  watch.observe(app, { attributes: true, attributeFilter: ['class'] });
  follow();
  return () => watch.disconnect();
};
"""

_catch_clicks = st.components.v2.component("folio.citations", js=_CLICKS)
_speak = st.components.v2.component("folio.announcer", js=_REGION, isolate_styles=False)
_scroll = st.components.v2.component("folio.scroller", js=_SCROLL)
_dusk = st.components.v2.component("folio.dusk", js=_DUSK)


def follow_citation() -> None:
    """Open the drawer when a citation was clicked. Called once a run, before the drawer."""
    result = cast("Any", _catch_clicks(key="citations", on_cite_change=lambda: None))
    match = _LINK.fullmatch(str(result.cite or ""))
    if match:
        state.open_source(int(match[1]), int(match[2]))


def announce(words: str) -> None:
    """Say something to a screen reader: start, end, stop and errors, never each word."""
    _speak(key="announcer", data=words)


def follow_dusk() -> None:
    """Let dialogs follow when the browser turns dark or light while the page stands."""
    _dusk(key="dusk")


def scroll_to(turn: int) -> None:
    """Bring the question that was just asked to the top of the page; -1 when none is asked."""
    _scroll(key="scroller", data=turn)
