"""Nomic Embed v1.5, text and pictures in one space, or one half of it. Imports no torch itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.embed.catalogue import NOMIC, NOMIC_TEXT, NOMIC_TEXT_ONLY, NOMIC_VISION
from rag.embed.checkpoints import find_checkpoint, folders_by_kind
from rag.embed.lanes import Lanes
from rag.embed.runtime import pick_device, refuse_precision
from rag.errors import ConfigError, EmbedError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from PIL import Image

    from rag.embed.catalogue import Checkpoint, LaneName
    from rag.embed.checkpoints import CheckpointFiles
    from rag.embed.lanes import Array, TextLane
    from rag.embed.picture_tower import PictureTower
    from rag.embed.turns import Turns
    from rag.settings import EmbedSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class JointPictures:
    """The picture lane of a joint space; questions go through the text half."""

    text: TextLane | None  # None: only pictures were asked for
    tower: PictureTower

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self.tower.dim

    @property
    def text_cap(self) -> int:
        """Tokens that are read of a question."""
        return NOMIC.text_cap

    def embed_queries(self, texts: Sequence[str]) -> Array:
        """Questions in the same form as for text: pictures were trained against it."""
        return self._words().embed_queries(texts)

    def embed_images(self, images: Sequence[Image.Image]) -> Array:
        """Pictures to float32 (n, dim), rows L2-normalised, row i belongs to picture i."""
        return self.tower.embed_images(images)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each question, uncut."""
        return self._words().count_tokens(texts)

    def _words(self) -> TextLane:
        if self.text is None:
            raise ConfigError("Questions need the text half of nomic, which is not loaded.")
        return self.text


class NomicFamily:
    """Finds and loads nomic's halves; see `rag.embed.load.Family`."""

    def identities(
        self, settings: EmbedSettings, wants: Collection[LaneName]
    ) -> dict[LaneName, str]:
        """One line a lane that is there; a folder may hold one half only.

        Raises:
            ConfigError: The folder does not exist, holds no half that is wanted, or halves
                that do not belong together; or the vectors cannot be cut that short; or
                the precision is not fp32.
            EmbedError: The weights are not on this machine.
        """
        refuse_precision(NOMIC, settings)
        halves = _find(settings, wants)
        lines: dict[LaneName, str] = {}
        if text := halves.get("text"):
            lines["text"] = (
                f"nomic|{text.source}|torch-fp32|d{_cut(text, settings)}"
                f"|pool=mean+layernorm|cap={NOMIC.text_cap}"
                f"|q={NOMIC.query_prefix.strip()}|doc={NOMIC.document_prefix.strip()}|v1"
            )
        if vision := halves.get("image"):
            lines["image"] = (
                f"nomic-vision|{vision.source}|torch-fp32|d{full_dim(vision)}"
                "|img=squash-bicubic-on-white|v1"
            )
        return lines

    def load(self, settings: EmbedSettings, wants: Collection[LaneName], turns: Turns) -> Lanes:
        """The lanes that are wanted and there.

        Raises:
            ConfigError: As for `identities`.
            EmbedError: The weights are not on this machine, or are damaged.
        """
        halves, device = _find(settings, wants), pick_device(settings)
        text = pictures = None
        if found := halves.get("text"):
            from rag.embed.nomic_text import load_nomic_text

            text = load_nomic_text(
                found,
                turns=turns,
                batch_size=settings.batch_size,
                dim=_cut(found, settings),
                device=device,
            )
        if found := halves.get("image"):
            from rag.embed.picture_tower import load_nomic_vision

            tower = load_nomic_vision(
                found, turns=turns, batch_size=settings.batch_size, device=device
            )
            pictures = JointPictures(text=text, tower=tower)
        return Lanes(text=text, pictures=pictures)


def full_dim(files: CheckpointFiles) -> int:
    """Length of a vector before any cut.

    Raises:
        EmbedError: config.json does not say it.
    """
    dim = files.config.get("n_embd") or files.config.get("hidden_size")
    if not dim:
        path = files.folder / "config.json"
        raise EmbedError(f"{path} names no vector length. Fetch the file again.")
    return int(dim)


def _cut(text: CheckpointFiles, settings: EmbedSettings) -> int:
    full = full_dim(text)
    dims = settings.dims or full
    # A folder of one's own may hold a small model, such as the tests' tiny one.
    least = NOMIC_TEXT_ONLY.min_dims if settings.model_dir is None else 1
    if not least <= dims <= full:
        raise ConfigError(
            f"nomic's text vectors can be {least} to {full} numbers long, not {dims}. Correct "
            "FOLIO_EMBED__DIMS."
        )
    return dims


def _find(settings: EmbedSettings, wants: Collection[LaneName]) -> dict[LaneName, CheckpointFiles]:
    checkpoints: dict[LaneName, Checkpoint] = {"text": NOMIC_TEXT, "image": NOMIC_VISION}
    there = None if settings.model_dir is None else folders_by_kind(settings.model_dir)
    if there is not None:
        _demand_a_half(settings, wants, there)
    found: dict[LaneName, CheckpointFiles] = {}
    for lane, checkpoint in checkpoints.items():
        if lane in wants and (there is None or checkpoint.kind in there):
            found[lane] = find_checkpoint(checkpoint, name=NOMIC.name, model_dir=settings.model_dir)
    _demand_match(settings, found)
    return found


def _demand_a_half(
    settings: EmbedSettings, wants: Collection[LaneName], there: Collection[str]
) -> None:
    has = {"text": NOMIC_TEXT.kind in there, "image": NOMIC_VISION.kind in there}
    if not any(has.values()):
        raise ConfigError(
            f"{settings.model_dir} holds no Nomic checkpoint. It must hold {NOMIC_TEXT.id}, "
            f"{NOMIC_VISION.id} or both, each with config.json and model.safetensors."
        )
    if len(wants) > 1:
        return  # either half will do; who cannot go without one asks for that one
    for lane, words, other in (("text", "picture", "text"), ("image", "text", "picture")):
        if lane in wants and not has[lane]:
            raise ConfigError(
                f"{settings.model_dir} holds only the {words} half of nomic, and this needs its "
                f"{other} half. Put nomic-embed-text-v1.5 and nomic-embed-vision-v1.5 into "
                "subfolders of it."
            )


def _demand_match(settings: EmbedSettings, found: dict[LaneName, CheckpointFiles]) -> None:
    if "text" not in found or "image" not in found:
        return
    text, pictures = full_dim(found["text"]), full_dim(found["image"])
    if text != pictures:
        raise ConfigError(
            f"The checkpoints in {settings.model_dir} do not belong together: {text} and "
            f"{pictures} dimensions. Use text and vision of the same release."
        )
    if settings.dims not in (None, text):
        raise ConfigError(
            "The pictures of nomic were not trained for shorter vectors. Use nomic-text, or "
            "leave FOLIO_EMBED__DIMS out."
        )
