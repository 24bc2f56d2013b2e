"""Four pieces of JavaScript: citation clicks, a live region, following a new question, dusk.

They get data, never HTML. Registered once, here, at module level.
"""

from __future__ import annotations

import re
from typing import Any, cast

import streamlit as st

from ui.web import state

_LINK = re.compile(r"(\d{1,4})-(\d{1,3})")

# A `js` string on one line is taken for a file name: it starts with a line break.
# A button that is switched off while it has the focus, as "Next" at the last source, leaves
# it to nobody, and Escape would no longer shut the drawer: its frame takes the focus.
_CLICKS = """
export default ({ setTriggerValue }) => {
  const onClick = (event) => {
    const link = event.target.closest?.('a[href^="#cite-"]');
    if (!link) return;
    event.preventDefault();
    setTriggerValue('cite', link.getAttribute('href').slice(6));
  };
  const holdFocus = () => {
    const dialog = document.querySelector('[role=dialog]');
    if (dialog && document.activeElement === document.body) dialog.focus();
  };
  const watcher = new MutationObserver(() => setTimeout(holdFocus, 50));
  watcher.observe(document.body, { attributeFilter: ['disabled'], subtree: true });
  document.addEventListener('click', onClick, true);
  return () => {
    watcher.disconnect();
    document.removeEventListener('click', onClick, true);
  };
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

# A new question would otherwise appear below what is in sight. Tried for a while, because the
# turn is drawn after this runs; one that was followed before is left alone. An answer can be
# there before its question was ever drawn as being written: questions are counted, so that
# none is missed. When the answer is there, the chat box is open again: the keyboard goes on
# from it, unless it is somewhere else. Not on a touch screen, where keys cover the answer.
_FOLLOW = """
export default ({ data }) => {
  const { turn, count, writing } = data ?? {};
  if (!(count > 0)) return;
  const attempt = (act, tries) => {
    if (!act() && tries > 0) setTimeout(() => attempt(act, tries - 1), 50);
  };
  if (window.folioAsked !== count) {
    window.folioAsked = count;
    attempt(() => {
      const place = document.querySelector('.st-key-turn-' + Number(turn));
      place?.scrollIntoView({ block: 'start' });
      return place;
    }, 60);
  }
  if (writing || window.folioAnswered === count) return;
  window.folioAnswered = count;
  if (matchMedia('(pointer: coarse)').matches) return;
  attempt(() => {
    const free = !document.activeElement || document.activeElement === document.body;
    const box = document.querySelector('[data-testid=stChatInputTextArea]:not([disabled])');
    if (free) box?.focus({ preventScroll: true });
    return box;
  }, 60);
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
_follow = st.components.v2.component("folio.follower", js=_FOLLOW)
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


def follow_question(turn: int, count: int, *, is_writing: bool) -> None:
    """Bring a question that was just asked to the top; at its end, open the way for the next.

    Args:
        turn: Its place in the chat.
        count: How many were asked in this session; 0 for none.
        is_writing: Whether its answer is not there yet.
    """
    _follow(key="follower", data={"turn": turn, "count": count, "writing": is_writing})
