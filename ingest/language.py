"""Which language a document is mainly in. Knows texts, nothing of pages or embedders.

py3langid decides about pieces from the whole document, and their letters vote: a paper
keeps its language though its summary and its references are in another one.
"""

from __future__ import annotations

import logging
import re
import unicodedata
from collections import defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from py3langid.langid import LanguageIdentifier

logger = logging.getLogger(__name__)

PIECE_CHARS = 400
MAX_PIECES = 50  # 20,000 characters in all
# Half of what is not white space; prose has 0.8 and more, code and tables of numbers less.
MIN_LETTER_SHARE = 0.5
MIN_PIECE_LETTERS = 20
MIN_LETTERS = 40
MIN_SHARE, MIN_LEAD = 0.4, 0.1

# ASCII without white space that is no word: addresses, numbers, names and calls of code.
_NOT_WORDS = re.compile(
    r"(?:[a-z]+://|www\.)[!-~]*"
    r"|[!-~]*(?:[0-9_={}<>\[\]|\\/@#$^*~+&%]|[a-z]\(|[a-z]\.[a-z]|::|\(\)|;(?![!-~]))[!-~]*",
    re.IGNORECASE,
)
# What the model tells apart and a reader calls by one name; the rest of its three-letter
# codes has no ISO 639-1 code and gives "".
_SAME = {"ary": "ar", "arz": "ar", "hbo": "he", "nn": "no", "sdh": "ku", "uzs": "uz"}
_SAME |= {"wuu": "zh", "yue": "zh"}


def detect_language(texts: Iterable[str]) -> str:
    """The main language of a document.

    Args:
        texts: All its passages, in reading order.

    Returns:
        ISO 639-1 code; "" when there are too few words or no language leads clearly.
    """
    pieces = [(words, size) for words in _pieces("\n".join(texts)) if (size := _size(words))]
    total = sum(size for _, size in pieces)
    if total < MIN_LETTERS:
        return ""
    model = _model()
    if model is None:
        return ""
    votes: defaultdict[str, float] = defaultdict(float)
    for words, size in pieces:
        for code, probability in model.rank(words):
            votes[_SAME.get(code, code)] += size * probability / total
    (second, _), (share, best) = sorted((share, code) for code, share in votes.items())[-2:]
    is_sure = share >= MIN_SHARE and share - second >= MIN_LEAD
    return best if is_sure and len(best) == 2 else ""


def _pieces(text: str) -> Iterator[str]:
    """Words of pieces spread evenly over the text; those that are mostly no words are left out."""
    last = max(0, len(text) - PIECE_CHARS)
    count = min(MAX_PIECES, -(-len(text) // PIECE_CHARS))
    for number in range(count):
        start = last * number // max(1, count - 1)
        piece = text[start : start + PIECE_CHARS]
        words = _NOT_WORDS.sub(" ", piece)
        letters = sum(map(_is_letter, words))
        if letters >= MIN_LETTER_SHARE * sum(not c.isspace() for c in piece):
            yield words


def _size(words: str) -> int:
    """Letters; those of Chinese, Japanese and Korean count twice, as one says what two say.

    0 for a piece too short to be judged.
    """
    size = sum(1 + (unicodedata.east_asian_width(c) == "W") for c in words if _is_letter(c))
    return size if size >= MIN_PIECE_LETTERS else 0


def _is_letter(character: str) -> bool:
    # Vowel signs of Indic scripts and Thai are marks.
    return unicodedata.category(character)[0] in "LM"


@lru_cache(maxsize=1)
def _model() -> LanguageIdentifier | None:
    """The detector, 80 MB and half a second, loaded for the first document."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    try:
        return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    except OSError as error:
        # It is unpacked in the folder for temporary files. A language is not worth a document.
        logger.warning("no language detection: %s", error)
        return None
