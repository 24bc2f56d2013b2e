"""A model's own tokenizer, with its cap. Knows no model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.errors import EmbedError

if TYPE_CHECKING:
    from pathlib import Path

    from tokenizers import Tokenizer


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
