"""A model's own tokenizer, with its cap. Knows no model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.errors import EmbedError

if TYPE_CHECKING:
    from pathlib import Path

    from tokenizers import Encoding, Tokenizer


def load_tokenizer(path: Path, *, cap: int) -> Tokenizer:
    """A tokenizer that cuts at `cap` tokens and does not pad.

    MiniLM's own file says "cut and pad to 128", which `tokenizers` would obey.
    AutoTokenizer is not used: it takes 3.5 s to import and does not cut at all.

    Raises:
        EmbedError: The file is missing or damaged.
    """
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises no narrower type
        message = f"{path} cannot be read ({error}). Fetch the model's files again."
        raise EmbedError(message) from error
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_length=cap)
    return tokenizer


def clean_text(text: str) -> str:
    """Text out of a PDF may hold lone surrogates, which a tokenizer refuses."""
    return text.encode("utf-8", "replace").decode("utf-8")


def count_uncut(encoding: Encoding) -> int:
    """How many tokens a text had before it was cut, special ones counted once."""
    rest = (len(part.ids) - sum(part.special_tokens_mask) for part in encoding.overflowing)
    return len(encoding.ids) + sum(rest)
