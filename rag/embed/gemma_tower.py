"""EmbeddingGemma 2 in torch: one loaded model behind a text lane and a picture lane.

Knows the layout of its input: text, a picture, or a document prefix, a picture and its
caption. Knows no file names beyond those of a checkpoint. Imports torch: import this module
inside functions only.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from transformers.models.embedding_gemma2.configuration_embedding_gemma2 import (
    EmbeddingGemma2Config,
)
from transformers.models.embedding_gemma2.modeling_embedding_gemma2 import EmbeddingGemma2Model

# Imported directly: AutoImageProcessor warns that torchvision is absent, and AutoProcessor
# does not work without it (facts/models.md, 5).
from transformers.models.gemma4.image_processing_pil_gemma4 import Gemma4ImageProcessorPil

from rag.embed.batches import plan_batches
from rag.embed.catalogue import GEMMA
from rag.embed.gemma import SOFT_TOKENS
from rag.embed.pixels import to_rgb_on_white
from rag.embed.runtime import load_pretrained, refuse_bf16_without_gain
from rag.embed.tensors import refuse_other_tensors
from rag.embed.text_tower import pool
from rag.embed.tokens import clean_text, load_tokenizer
from rag.errors import EmbedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tokenizers import Tokenizer
    from transformers.models.gemma4.configuration_gemma4 import Gemma4VisionConfig

    from rag.embed.checkpoints import CheckpointFiles
    from rag.embed.gemma import GemmaPlan
    from rag.embed.lanes import Array
    from rag.embed.turns import Turns

# 256 tokens take 1.0 CPU second (facts/models.md, 5), so a batch is as small as it can be.
MAX_BATCH_TOKENS = 256
AUDIO = ("audio_tower.", "embed_audio.")
VISION = ("vision_tower.", "embed_vision.")


class GemmaTower:
    """Token rows, with or without a picture, to vectors of unit length.

    Args:
        model: in eval mode; without a vision tower it embeds text only.
        tokenizer: adds no special tokens, does not cut and does not pad.
        processor: None without a vision tower.
        dim: shorter than the model's own for a Matryoshka cut.
        text_cap: tokens that are read, with those of a picture.
        turns: shared by all lanes of one embedder.
        batch_size: most texts in a batch.
    """

    def __init__(
        self,
        *,
        model: EmbeddingGemma2Model,
        tokenizer: Tokenizer,
        processor: Gemma4ImageProcessorPil | None,
        dim: int,
        text_cap: int,
        turns: Turns,
        batch_size: int,
    ) -> None:
        self.dim = dim
        self.text_cap = text_cap
        self._model = model
        self._tokenizer = tokenizer
        self._processor = processor
        self._turns = turns
        self._batch_size = batch_size
        config: Any = model.config
        self._bos, self._eos = config.text_config.bos_token_id, config.text_config.eos_token_id
        self._pad = config.text_config.pad_token_id
        self._boi, self._eoi = config.boi_token_id, config.eoi_token_id
        self._image = config.image_token_id
        self._max_ratio = max_ratio(config.vision_config) if config.vision_config else 1.0
        self._media = {
            *(self._boi, self._image, self._eoi, config.video_token_id),
            *(config.boa_token_id, config.audio_token_id, config.eoa_token_index),
        }

    def embed_texts(self, prefix: str, texts: Sequence[str], *, question: bool) -> Array:
        """Texts to float32 (n, dim), rows L2-normalised, row i belongs to text i."""
        rows = [self._cut([self._bos, *self._encode(prefix + text)]) for text in texts]
        vectors = np.zeros((len(rows), self.dim), dtype=np.float32)
        batches = plan_batches(
            [len(row) for row in rows], max_rows=self._batch_size, max_tokens=MAX_BATCH_TOKENS
        )
        for places in batches:
            with self._turns.take(question=question):
                vectors[places] = self._forward([rows[place] for place in places])
        return vectors

    def embed_images(
        self, prefix: str, images: Sequence[Image.Image], after: Sequence[str]
    ) -> Array:
        """Pictures between a prefix and a text each to float32 (n, dim), rows L2-normalised.

        One at a time: a picture takes 2 to 3 CPU seconds; a batch would only make questions wait.
        """
        vectors = np.zeros((len(images), self.dim), dtype=np.float32)
        for place, (image, text) in enumerate(zip(images, after, strict=True)):
            pixels, positions, count = self._to_patches(image)
            picture = [self._boi, *[self._image] * count, self._eoi]
            row = self._cut([self._bos, *self._encode(prefix), *picture, *self._encode(text)])
            with self._turns.take(question=False):
                vectors[place] = self._forward([row], pixels, positions)[0]
        return vectors

    def count_tokens(self, prefix: str, texts: Sequence[str]) -> list[int]:
        """Tokens of each text behind a prefix, with the first and last one, uncut."""
        return [len(self._encode(prefix + text)) + 2 for text in texts]

    def _encode(self, text: str) -> list[int]:
        """Ids without special ones: a document that spells `<|image|>` must not stand for one."""
        ids = self._tokenizer.encode(clean_text(text), add_special_tokens=False).ids
        return [each for each in ids if each not in self._media]

    def _cut(self, row: Sequence[int]) -> list[int]:
        return [*row[: self.text_cap - 1], self._eos]

    def _to_patches(self, image: Image.Image) -> tuple[torch.Tensor, torch.Tensor, int]:
        """A picture as patches (1, n, 3 * 16 * 16) and places (1, n, 2), and its token count."""
        if self._processor is None:
            raise EmbedError("The vision tower of gemma is not loaded. Ask for its picture lane.")
        paper = widen(to_rgb_on_white(image), max_ratio=self._max_ratio)
        batch = self._processor(images=[paper], return_tensors="pt")
        positions = batch["image_position_ids"]
        # Patches that only fill up to the budget are masked in any case: up to a seventh is saved.
        is_real = (positions[0] >= 0).all(dim=-1)
        (count,) = batch["num_soft_tokens_per_image"]
        return batch["pixel_values"][:, is_real], positions[:, is_real], int(count)

    @torch.inference_mode()
    def _forward(
        self,
        rows: Sequence[Sequence[int]],
        pixels: torch.Tensor | None = None,
        positions: torch.Tensor | None = None,
    ) -> Array:
        device, width = self._model.device, max(len(row) for row in rows)
        ids = torch.tensor([[*row, *[self._pad] * (width - len(row))] for row in rows])
        lengths = torch.tensor([[len(row)] for row in rows])
        mask = (torch.arange(width) < lengths).long().to(device)  # (n, width)
        media = {}
        if pixels is not None and positions is not None:
            media["pixel_values"] = pixels.to(device, self._model.dtype)
            media["image_position_ids"] = positions.to(device)
        states = self._model(input_ids=ids.to(device), attention_mask=mask, **media)
        # The prefix counts in the mean (card: include_prompt).
        pooled = pool(states.last_hidden_state.float(), mask, has_layer_norm=False, dim=self.dim)
        vectors: Array = pooled.cpu().numpy()
        return vectors


def max_ratio(vision_config: Gemma4VisionConfig) -> float:
    """Longest side by shortest of the pictures whose patches all have a place in the model.

    The published model has 10,240 places a side, more than any picture needs; a small one
    may have fewer, and transformers would fail inside the tower.
    """
    most_tokens = vision_config.position_embedding_size // vision_config.pooling_kernel_size
    # n tokens of one picture, at ratio r, are sqrt(n * r) long; never longer than n.
    if most_tokens >= SOFT_TOKENS:
        return math.inf
    return most_tokens**2 / SOFT_TOKENS


def widen(image: Image.Image, *, max_ratio: float) -> Image.Image:
    """The picture on white paper that is not longer than `max_ratio` times its width."""
    least = math.ceil(max(image.size) / max_ratio)
    if min(image.size) >= least:
        return image
    paper = Image.new("RGB", (max(image.width, least), max(image.height, least)), "white")
    paper.paste(image, ((paper.width - image.width) // 2, (paper.height - image.height) // 2))
    return paper


class GemmaText:
    """The text lane; see `rag.embed.lanes.TextLane`."""

    def __init__(self, tower: GemmaTower) -> None:
        self._tower = tower

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self._tower.dim

    @property
    def text_cap(self) -> int:
        """Tokens that are read of a text."""
        return self._tower.text_cap

    def embed_queries(self, texts: Sequence[str]) -> Array:
        """Questions to float32 (n, dim), rows L2-normalised; goes before waiting documents."""
        return self._tower.embed_texts(GEMMA.query_prefix, texts, question=True)

    def embed_documents(self, texts: Sequence[str]) -> Array:
        """Passages to float32 (n, dim), rows L2-normalised, row i belongs to text i."""
        return self._tower.embed_texts(GEMMA.document_prefix, texts, question=False)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text in document form, before it is cut."""
        return self._tower.count_tokens(GEMMA.document_prefix, texts)


class GemmaPictures:
    """The picture lane; see `rag.embed.lanes.PictureLane` and `CaptionedPictures`.

    Questions go through the same text trunk as for the text lane: one joint space.
    """

    def __init__(self, tower: GemmaTower) -> None:
        self._tower = tower

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self._tower.dim

    @property
    def text_cap(self) -> int:
        """Tokens that are read of a question."""
        return self._tower.text_cap

    def embed_queries(self, texts: Sequence[str]) -> Array:
        """Questions to float32 (n, dim), rows L2-normalised; goes before waiting pictures."""
        return self._tower.embed_texts(GEMMA.query_prefix, texts, question=True)

    def embed_images(self, images: Sequence[Image.Image]) -> Array:
        """Pictures alone, without a prefix, to float32 (n, dim), rows L2-normalised."""
        return self._tower.embed_images("", images, [""] * len(images))

    def embed_captioned(self, images: Sequence[Image.Image], captions: Sequence[str]) -> Array:
        """Pictures in document form, each with its caption, to float32 (n, dim), unit rows."""
        return self._tower.embed_images(GEMMA.document_prefix, images, captions)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each question, before it is cut."""
        return self._tower.count_tokens(GEMMA.query_prefix, texts)


def load_gemma(
    plan: GemmaPlan, *, turns: Turns, batch_size: int, device: torch.device
) -> GemmaTower:
    """The model with the towers that are needed, every tensor from its file.

    Raises:
        EmbedError: The files are not whole, or do not belong together.
    """
    folder = plan.files.folder
    # It is left to GemmaTower to cut, since a picture takes a share of the cap.
    tokenizer = load_tokenizer(folder / "tokenizer.json", cap=GEMMA.text_cap)
    tokenizer.no_truncation()
    model = load_model(plan, turns=turns, device=device)
    if tokenizer.get_vocab_size() > model.vocab_size:
        message = f"tokenizer.json in {folder} belongs to another model. Fetch it again."
        raise EmbedError(message)
    settings = plan.image_settings
    return GemmaTower(
        model=model,
        tokenizer=tokenizer,
        processor=None
        if settings is None
        else Gemma4ImageProcessorPil(**settings, max_soft_tokens=SOFT_TOKENS),
        dim=plan.dim,
        text_cap=GEMMA.text_cap,
        turns=turns,
        batch_size=batch_size,
    )


def load_model(plan: GemmaPlan, *, turns: Turns, device: torch.device) -> EmbeddingGemma2Model:
    """The text trunk, and the vision tower where pictures are wanted; never the audio tower.

    Raises:
        EmbedError: As for `load_gemma`.
    """
    has_vision = plan.image_settings is not None
    config = to_config(plan.files, has_vision=has_vision)
    with torch.device("meta"):  # names and shapes without memory
        skeleton = EmbeddingGemma2Model(config)
    wanted = {name: tuple(tensor.shape) for name, tensor in skeleton.state_dict().items()}
    # The class itself ignores whatever it does not know under these names, so a damaged
    # vision tower would pass.
    unused = AUDIO if has_vision else (*AUDIO, *VISION)
    refuse_other_tensors(plan.files.folder, wanted, unused=unused)
    if plan.precision == "bf16":
        refuse_bf16_without_gain(device)
    dtype = torch.bfloat16 if plan.precision == "bf16" else torch.float32
    load = partial(EmbeddingGemma2Model.from_pretrained, config=config)
    model = load_pretrained(load, plan.files.folder, turns=turns, device=device, dtype=dtype)
    if not isinstance(model, EmbeddingGemma2Model):
        raise EmbedError(f"{plan.files.folder} holds another model. Fetch its files again.")
    return model


def to_config(files: CheckpointFiles, *, has_vision: bool) -> EmbeddingGemma2Config:
    """The published config without the towers that are not needed.

    Raises:
        EmbedError: transformers cannot read it.
    """
    left_out: dict[str, None] = {"audio_config": None}
    if not has_vision:
        left_out["vision_config"] = None
    try:
        return EmbeddingGemma2Config.from_dict({**files.config, **left_out})
    except Exception as error:  # transformers checks types with exceptions of its own
        message = f"config.json is not usable ({error}). Fetch the file again."
        raise EmbedError(message) from error
