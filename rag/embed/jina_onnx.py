"""The published ONNX file of Jina CLIP v2 in ONNX Runtime. Knows no settings but how to run.

The graph takes token ids and pixels at once and gives four outputs. There is no attention
mask: positions with the pad id are left out of the mean inside the graph. Asking for the
text output alone does not spare the picture tower; pixels of batch 0 do (facts/models.md, 2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rag.embed.batches import plan_batches
from rag.embed.catalogue import JINA
from rag.embed.jina import refuse_dims
from rag.embed.jina_pixels import SIDE_PX, to_pixels
from rag.embed.tokens import clean_text, count_uncut, load_tokenizer
from rag.errors import EmbedError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from onnxruntime import InferenceSession, SessionOptions
    from PIL import Image
    from tokenizers import Encoding, Tokenizer

    from rag.embed.lanes import Array
    from rag.embed.turns import Turns
    from rag.settings import EmbedSettings

TEXT_OUTPUT = "l2norm_text_embeddings"
PICTURE_OUTPUT = "l2norm_image_embeddings"
INPUTS = {"input_ids", "pixel_values"}
# XLM-RoBERTa's: the graph leaves out positions with this id, so another tokenizer's would
# count as words.
SPECIAL_IDS = {"<s>": 0, "<pad>": 1, "</s>": 2}
NO_TEXT = ((SPECIAL_IDS["<s>"], SPECIAL_IDS["</s>"]),)  # a text batch of 0 is refused by the graph
# A chunk of 200 tokens is some 2 seconds on one thread, so a batch is as small as it can be.
MAX_BATCH_TOKENS = 256
INSTALL = "Jina needs ONNX Runtime, which is not installed. Run: pip install 'folio-rag[jina]'"


class OnnxJina:
    """Both halves of the model; see `rag.embed.jina.JinaModel`.

    Args:
        session: of a graph with the published inputs and outputs.
        tokenizer: cuts at the model's cap and does not pad.
        dim: length of a vector, at most the graph's own.
        turns: who may use the session next.
        batch_size: most texts in a batch.
    """

    def __init__(
        self,
        *,
        session: InferenceSession,
        tokenizer: Tokenizer,
        dim: int,
        turns: Turns,
        batch_size: int,
    ) -> None:
        self._session = session
        self._tokenizer = tokenizer
        self._dim = dim
        self._turns = turns
        self._batch_size = batch_size

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self._dim

    def embed_texts(self, texts: Sequence[str], *, question: bool) -> Array:
        """Texts to float32 (n, dim), rows L2-normalised; the picture tower does not run."""
        rows = [encoding.ids for encoding in self._encode(texts, question=question)]
        vectors = np.zeros((len(rows), self._dim), dtype=np.float32)
        lengths = [len(row) for row in rows]
        batches = plan_batches(lengths, max_rows=self._batch_size, max_tokens=MAX_BATCH_TOKENS)
        for places in batches:
            ids = pad([rows[place] for place in places])
            with self._turns.take(question=question):
                found = run(self._session, TEXT_OUTPUT, ids=ids)
            vectors[places] = shorten(found, self._dim)
        return vectors

    def embed_pictures(self, images: Sequence[Image.Image]) -> Array:
        """Pictures to float32 (n, dim), rows L2-normalised, row i belongs to picture i."""
        vectors = np.zeros((len(images), self._dim), dtype=np.float32)
        # One at a time: a picture is 1,297 positions, and a run cannot be interrupted.
        for place, image in enumerate(images):
            pixels = to_pixels(image)
            with self._turns.take(question=False):
                found = run(self._session, PICTURE_OUTPUT, pixels=pixels[np.newaxis])
            vectors[place] = shorten(found, self._dim)[0]
        return vectors

    def count_tokens(self, texts: Sequence[str], *, question: bool) -> list[int]:
        """Tokens of each text with its prefix, before it is cut."""
        return [count_uncut(encoding) for encoding in self._encode(texts, question=question)]

    def _encode(self, texts: Sequence[str], *, question: bool) -> list[Encoding]:
        prefix = JINA.query_prefix if question else JINA.document_prefix
        return [self._tokenizer.encode(clean_text(prefix + text)) for text in texts]


def load_onnx(folder: Path, graph: Path, settings: EmbedSettings, turns: Turns) -> OnnxJina:
    """The model from its graph and the tokenizer beside it.

    Raises:
        ConfigError: The vectors cannot be cut to what is set.
        EmbedError: ONNX Runtime is not installed, or a file is damaged or of another model.
    """
    tokenizer = load_tokenizer(folder / "tokenizer.json", cap=JINA.text_cap)
    if any(tokenizer.token_to_id(token) != at for token, at in SPECIAL_IDS.items()):
        raise _other_tokenizer(folder)
    session = open_session(graph, session_options(settings.threads))
    full = _probe(session, tokenizer, folder)
    refuse_dims(settings, JINA.min_dims if settings.model_dir is None else 1, full)
    return OnnxJina(
        session=session,
        tokenizer=tokenizer,
        dim=settings.dims or full,
        turns=turns,
        batch_size=settings.batch_size,
    )


def session_options(threads: int) -> SessionOptions:
    """How the graph runs beside a busy web server.

    Raises:
        EmbedError: ONNX Runtime is not installed.
    """
    try:
        from onnxruntime import SessionOptions
    except ImportError as error:
        raise EmbedError(INSTALL) from error
    options = SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Threads that spin while they wait take the time of everybody else.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4  # it would repeat on standard error what it raises
    return options


def open_session(graph: Path, options: SessionOptions) -> InferenceSession:
    """The graph, ready to run.

    Raises:
        EmbedError: The file, or the weights that belong beside it, are missing or
            damaged, or it is another model's.
    """
    from onnxruntime import InferenceSession

    try:
        session = InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors have no common type
        message = (
            f"{graph} cannot be loaded ({_first_line(error)}). Fetch it again, with the weights "
            "file beside it."
        )
        raise EmbedError(message) from error
    names = {entry.name for entry in (*session.get_inputs(), *session.get_outputs())}
    if not names >= INPUTS | {TEXT_OUTPUT, PICTURE_OUTPUT}:
        raise EmbedError(f"{graph} is not the ONNX file of Jina CLIP v2. Fetch it from {JINA.id}.")
    return session


def run(
    session: InferenceSession,
    output: str,
    *,
    ids: Sequence[Sequence[int]] = NO_TEXT,
    pixels: Array | None = None,
) -> Array:
    """One output of the graph; the half that is not asked for gets as little as it accepts.

    Args:
        session: the graph.
        output: its name.
        ids: rows of token ids, of equal length.
        pixels: float32 (m, 3, 512, 512), none when None.

    Returns:
        float32 (n, dim) for texts, (m, dim) for pictures.

    Raises:
        EmbedError: The graph does not accept them.
    """
    if pixels is None:
        pixels = np.zeros((0, 3, SIDE_PX, SIDE_PX), dtype=np.float32)
    feeds: dict[str, Any] = {"input_ids": np.array(ids, dtype=np.int64), "pixel_values": pixels}
    try:
        found: Array = session.run([output], feeds)[0]
    except Exception as error:  # its errors have no common type
        message = f"The ONNX file of jina failed ({_first_line(error)}). Fetch its files again."
        raise EmbedError(message) from error
    return found.astype(np.float32, copy=False)


def pad(rows: Sequence[Sequence[int]]) -> list[list[int]]:
    """Rows of ids filled up with the pad id to the longest one."""
    width = max(len(row) for row in rows)
    return [[*row, *[SPECIAL_IDS["<pad>"]] * (width - len(row))] for row in rows]


def shorten(vectors: Array, dim: int) -> Array:
    """The first `dim` numbers of each row, made unit length again after the cut."""
    cut = vectors[:, :dim]
    lengths = np.linalg.norm(cut, axis=1, keepdims=True)
    unit: Array = (cut / np.maximum(lengths, np.float32(1e-12))).astype(np.float32)
    return unit


def _probe(session: InferenceSession, tokenizer: Tokenizer, folder: Path) -> int:
    """Length of a vector, found by running text without pictures, the last token among it."""
    try:
        full = run(session, TEXT_OUTPUT).shape[1]
    except EmbedError as error:
        message = (
            f"The ONNX file in {folder} cannot embed a text without a picture. Use the one "
            f"published as {JINA.id}."
        )
        raise EmbedError(message) from error
    last = tokenizer.get_vocab_size() - 1
    try:
        run(session, TEXT_OUTPUT, ids=[[NO_TEXT[0][0], last, NO_TEXT[0][1]]])
    except EmbedError as error:  # its vocabulary is larger than the graph's
        raise _other_tokenizer(folder) from error
    return int(full)


def _other_tokenizer(folder: Path) -> EmbedError:
    return EmbedError(f"tokenizer.json in {folder} belongs to another model. Fetch it again.")


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
