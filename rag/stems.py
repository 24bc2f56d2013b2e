"""Stems by language: the common part of the inflected forms of a word. Knows Snowball only.

Always Snowball's own Python, never PyStemmer, which its front door takes where it is
installed: an index must find the same stems on every computer. A word costs 20 to 100 us
(measured) and is kept.
"""

from __future__ import annotations

import threading
from functools import cache, lru_cache
from importlib import import_module
from typing import Protocol, cast

# The algorithms of snowballstemmer 3.1 by ISO 639-1 code. Older Porter variants are left out.
_ALGORITHMS = {
    "ar": "arabic", "ca": "catalan", "cs": "czech", "da": "danish", "de": "german",
    "el": "greek", "en": "english", "eo": "esperanto", "es": "spanish", "et": "estonian",
    "eu": "basque", "fa": "persian", "fi": "finnish", "fr": "french", "ga": "irish",
    "hi": "hindi", "hu": "hungarian", "hy": "armenian", "id": "indonesian", "it": "italian",
    "lt": "lithuanian", "ne": "nepali", "nl": "dutch", "no": "norwegian", "pl": "polish",
    "pt": "portuguese", "ro": "romanian", "ru": "russian", "sr": "serbian", "st": "sesotho",
    "sv": "swedish", "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}  # fmt: skip
_SAME = {"nb": "no", "nn": "no", "in": "id"}
# Persian and Arabic write yeh and kaf with different characters, and keyboards mix them up.
_LETTERS = {
    "fa": str.maketrans("يك", "یک"),
    "ar": str.maketrans("یک", "يك"),
}
MAX_WORD = 64  # characters: what is longer is no word, and stemming must not take long
# One at a time: a Snowball object keeps the word it is at work on in itself.
_turn = threading.Lock()


class _Stemmer(Protocol):
    def stemWord(self, word: str) -> str: ...  # noqa: N802 - Snowball's name


def stem_language(language: str) -> str:
    """The language whose stems a document's words get: its own, or English without any."""
    language = _SAME.get(language, language)
    return language if language in _ALGORITHMS else "en"


@lru_cache(maxsize=131_072)
def stem(word: str, language: str) -> str:
    """The stem of a case-folded word, never empty.

    Args:
        word: At least one letter; what is longer than 64 characters is cut.
        language: From `stem_language`.
    """
    word = word[:MAX_WORD].translate(_LETTERS.get(language, {}))
    stemmer = _stemmer(language)
    with _turn:
        return stemmer.stemWord(word) or word


@cache
def _stemmer(language: str) -> _Stemmer:
    name = _ALGORITHMS[language]
    module = import_module(f"snowballstemmer.{name}_stemmer")
    return cast("_Stemmer", getattr(module, f"{name.title()}Stemmer")())
