"""The part of the Models page about the model that writes answers: choose, key, cost, hello.

Knows widgets and words. What a button does is in `ui.answering`. A key goes from its field
to the services and nowhere else: the field is emptied in the same run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from rag.errors import RagError
from rag.llm_choice import NO_MODEL, PROVIDERS
from ui.web import pieces, polling, state, wording

if TYPE_CHECKING:
    from collections.abc import Callable

    from rag.llm_choice import Choice
    from rag.llm_facts import ModelFacts
    from rag.spending import Spent
    from ui.answering import Answering
    from ui.services import Services
    from ui.web.pieces import Tone

KEY, KEEP, NAME, ADDRESS, CAP = "llm-key", "llm-keep", "llm-name", "llm-address", "llm-cap"
KEY_WORDS = {
    "setting": "Set with FOLIO_LLM__API_KEY",
    "memory": "Entered here, until Folio is closed",
    "file": "Entered here, kept in the data folder",
    "environment": "Found in the environment",
    "none": "None",
}
LOCAL = (
    "Without a cloud: install Ollama and run `ollama pull gemma3:4b` (3.3 GB, sees pictures, for a"
    " computer with 8 GB of memory). Folio finds it when it starts."
)


def show(services: Services) -> None:
    """Draw the section."""
    desk = services.answering
    choice = desk.choice()
    st.html(pieces.section("Language model", "Writes the answers"))
    with st.container(key="model-llm"):
        tone, words = _badge(choice)
        st.html(pieces.model_head(choice.model or "Quotes only", _reason(choice), tone, words))
        _known(desk)
        if choice.model:
            _hello(desk, choice)
        else:
            st.markdown(LOCAL)
    left, right = st.columns(2, gap="small")
    with left, st.container(key="model-llm-choose", height="stretch"):
        _choose(desk, choice)
    with right, st.container(key="model-llm-key", height="stretch"):
        _key(desk, choice)
        _cap(desk)


def _badge(choice: Choice) -> tuple[Tone, str]:
    if not choice.model:
        return "info", "No model"
    return ("ok", "On this computer") if choice.is_local else ("warn", "Sent to its provider")


def _reason(choice: Choice) -> str:
    return f"{choice.reason[:1].upper()}{choice.reason[1:]}."


def _known(desk: Answering) -> None:
    """What the model can and costs; drawn again when it has been looked up."""
    if not desk.choice().model:
        st.html(pieces.facts([("Used today", spent_words(desk.spent_today()))]))
        return
    facts = desk.facts()
    if facts is not None:
        st.html(pieces.facts(_rows(desk, facts)))
        return
    desk.learn_soon()
    polling.until(
        lambda: desk.facts() is not None,
        lambda: st.html(pieces.facts(_rows(desk, desk.facts()))),
    )


def _rows(desk: Answering, facts: ModelFacts | None) -> list[tuple[str, str]]:
    needs_none = desk.choice().is_local and desk.key_state() == "none"
    key = "None needed" if needs_none else KEY_WORDS[desk.key_state()]
    rows = [("Key", key), ("Used today", spent_words(desk.spent_today()))]
    if facts is None:
        return [("Pictures, window, price", "Being looked up"), *rows]
    sees = "Sent to it" if desk.sees_pictures() else "Not sent; it reads their captions"
    window = f"{facts.window:,} tokens" if facts.window else "Unknown"
    return [("Pictures", sees), ("Context window", window), ("Price", price_words(facts)), *rows]


def price_words(facts: ModelFacts) -> str:
    """The price of a million tokens each way."""
    if facts.input_price is None or facts.output_price is None:
        return "Price unknown"
    if not facts.input_price and not facts.output_price:
        return "Free, on your own machine"
    put, got = 1e6 * facts.input_price, 1e6 * facts.output_price
    return f"${put:,.2f} in, ${got:,.2f} out, a million tokens"


def spent_words(spent: Spent) -> str:
    """What was used today, with the part whose cost is unknown."""
    if not spent.call_count:
        return "Nothing"
    calls = wording.count(spent.call_count, "call")
    words = f"{calls}, {spent.token_count:,} tokens"
    if spent.unpriced_count == spent.call_count:
        return f"{words}, cost unknown"
    digits = 2 if spent.dollars >= 0.01 else 4
    words += f", about ${spent.dollars:,.{digits}f}" if spent.dollars else ", free"
    return f"{words}; {spent.unpriced_count} of unknown cost" if spent.unpriced_count else words


def _hello(desk: Answering, choice: Choice) -> None:
    asked = (choice.model, choice.settings.api_base)
    with st.container(horizontal=True, vertical_alignment="center", key="llm-try"):
        if st.button("Say hello", key="llm-hello", icon=":material/waving_hand:"):
            with st.spinner("Waiting for the model."):
                st.session_state[state.HELLO] = (asked, desk.hello())
            st.rerun()  # what was used today stands above
        st.html(pieces.meta("Sends one short question with a small drawn picture."))
    of, hello = st.session_state.get(state.HELLO, (None, None))
    if hello is None or of != asked:
        return
    if not hello.is_good:
        st.html(pieces.note("err", f"It did not answer ({hello.kind}).", hello.message))
        return
    sees = {
        True: "It read the number in the picture.",
        False: "It did not read the picture.",
    }.get(hello.sees_pictures, "")
    first = f"First word after {hello.first_token_ms / 1000:.1f} s."
    tone: Tone = "ok" if hello.sees_pictures else "info"
    st.html(pieces.note(tone, f"It says: {hello.answer}", f"{sees} {first}"))


def _choose(desk: Answering, choice: Choice) -> None:
    st.html(pieces.section("Choose"))
    if choice.origin == "setting" or choice.reason.startswith("FOLIO_LLM__MODEL"):
        st.html(pieces.meta("FOLIO_LLM__MODEL is set. Take it out to choose a model here."))
        return
    wish = desk.wish()
    names = _names(desk, choice)
    with st.form("llm-form", border=False):
        name = st.selectbox(
            "Model",
            names,
            index=names.index(choice.model) if choice.model in names else None,
            accept_new_options=True,
            placeholder="Pick one or type its name",
            help="A name as LiteLLM spells it: provider/model. For a server of your own, the"
            " name that it gives the model.",
        )
        address = st.text_input(
            "Address",
            value=wish.api_base,
            key=ADDRESS,
            placeholder="http://127.0.0.1:8000/v1",
            help="Only for a server of your own that speaks OpenAI's protocol, such as llama.cpp"
            " or vLLM.",
        )
        if st.form_submit_button("Use this model", width="stretch"):
            _do(lambda: desk.choose(name or "", address), "The model is not used.")
    with st.container(horizontal=True, key="acts-llm"):
        if choice.model:
            st.button("Quotes only", key="llm-none", on_click=_take, args=(desk, NO_MODEL))
        if wish.model:
            st.button("Undo the choice", key="llm-undo", on_click=_take, args=(desk, ""))


def _names(desk: Answering, choice: Choice) -> list[str]:
    """What can be picked: what is here, the provider in use first, then all others."""
    local = [f"ollama_chat/{model.name}" for model in desk.local_models()]
    near = sorted(PROVIDERS, key=lambda provider: provider.name != choice.place)
    listed = [model for provider in near for model in provider.models]
    chosen = [choice.model] if choice.model else []
    return list(dict.fromkeys([*chosen, *local, *listed]))


def _key(desk: Answering, choice: Choice) -> None:
    st.html(pieces.section("Key", choice.place if choice.model else ""))
    with st.form("llm-key-form", border=False, clear_on_submit=True):
        st.text_input(
            "Key", key=KEY, type="password", autocomplete="off", disabled=not choice.model
        )
        st.checkbox(
            "Keep it in a file of the data folder that only you can read",
            key=KEEP,
            disabled=not choice.model,
        )
        st.form_submit_button(
            "Use this key",
            width="stretch",
            disabled=not choice.model,
            on_click=_keep_key,
            args=(desk,),
        )
    if desk.key_state() in ("memory", "file"):
        with st.container(key="acts-llm-key"):
            st.button("Delete the key", key="llm-forget", on_click=_forget_key, args=(desk,))


def _cap(desk: Answering) -> None:
    st.html(pieces.section("Daily limit"))
    with st.form("llm-cap-form", border=False):
        dollars = st.number_input(
            "Dollars a day, as estimated",
            min_value=0.0,
            value=desk.cap(),
            step=0.5,
            key=CAP,
            placeholder="No limit",
            help="Past it, answers are quotes until the next day. Calls of unknown cost are"
            " not part of the estimate.",
        )
        if st.form_submit_button("Set the limit", width="stretch"):
            _do(lambda: desk.set_cap(dollars), "The limit is not set.")


def _keep_key(desk: Answering) -> None:
    key = st.session_state[KEY]
    st.session_state[KEY] = ""  # not for one run longer than it takes
    try:
        desk.keep_key(key, in_file=bool(st.session_state[KEEP]))
    except RagError as error:
        _refused("The key is not used.", error)


def _forget_key(desk: Answering) -> None:
    try:
        desk.delete_key()
    except RagError as error:
        _refused("The key is not deleted.", error)


def _take(desk: Answering, model: str) -> None:
    try:
        desk.choose(model)
    except RagError as error:
        _refused("The model is not used.", error)


def _do(action: Callable[[], None], refused: str) -> None:
    """Do it and draw the page anew; what is refused gets its sentence."""
    try:
        action()
    except RagError as error:
        _refused(refused, error)
    st.rerun()


def _refused(strong: str, error: RagError) -> None:
    state.tell(state.Notice(tone="warn", strong=strong, rest=str(error)))
