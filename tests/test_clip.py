"""CLIP on a tiny checkpoint with random weights, held to vectors of transformers."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from rag.embed.catalogue import CLIP
from rag.embed.load import identity_of, load_embedder, load_lanes
from rag.embed.once import embed_for_cli
from rag.embed.picture_policy import PicturePolicy, read_policy
from rag.errors import ConfigError, EmbedError, RagError
from rag.settings import EmbedSettings
from tests.checkpoint_folders import (
    copy_checkpoint,
    edit_json,
    edit_tensors,
    open_pictures,
    read_golden,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rag.embed.paired_tower import PairedTower

# A fault moves a vector by far more than the 1e-5 that parity allows.
FAR = 1e-3


@pytest.fixture(scope="module")
def folder(shared: Path) -> Path:
    return shared / "fixtures" / "clip_tiny"


@pytest.fixture(scope="module")
def golden(folder: Path) -> dict[str, Any]:
    return read_golden(folder)


@pytest.fixture(scope="module")
def pictures(folder: Path) -> list[Image.Image]:
    return open_pictures(folder)


@pytest.fixture(scope="module")
def tower(folder: Path) -> PairedTower:
    return load(folder)


@pytest.fixture
def checkpoint(folder: Path, tmp_path: Path) -> Path:
    """A folder of one's own, to be damaged."""
    return copy_checkpoint(folder, tmp_path / "clip")


def settings_for(folder: Path, **more: Any) -> EmbedSettings:
    return EmbedSettings(model="clip", model_dir=folder, **more)


def load(folder: Path) -> PairedTower:
    tower: Any = load_lanes(CLIP, settings_for(folder), {"image"}).pictures
    loaded: PairedTower = tower
    return loaded


def with_policy(tower: PairedTower, policy: PicturePolicy) -> PairedTower:
    """The same model, fed in another way."""
    other = copy.copy(tower)
    other._policy = policy
    return other


def swap_channels(image: Image.Image) -> Image.Image:
    return Image.fromarray(np.asarray(image)[:, :, ::-1].copy())


def test_texts_and_pictures_get_the_known_vectors(
    tower: PairedTower, golden: dict[str, Any], pictures: list[Image.Image]
) -> None:
    texts = tower.embed_queries(golden["texts"])
    images = tower.embed_images(pictures)

    np.testing.assert_allclose(texts, golden["text_embeddings"], atol=1e-5)
    np.testing.assert_allclose(images, golden["image_embeddings"], atol=1e-5)
    np.testing.assert_allclose(texts @ images.T, golden["cosine_text_image"], atol=1e-5)
    assert (texts.dtype, texts.shape, tower.dim) == (np.float32, (5, 24), 24)


def test_texts_get_the_known_token_ids(tower: PairedTower, golden: dict[str, Any]) -> None:
    assert [tower._encode(text).ids for text in golden["texts"]] == golden["input_ids"]


def test_pictures_are_prepared_as_transformers_prepares_them(folder: Path) -> None:
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    theirs = CLIPImageProcessorPil(
        size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}
    )
    noise = np.random.default_rng(0)
    policy = read_policy(folder, "crop")

    for width, height in ((33, 90), (500, 17), (64, 64), (301, 200), (5, 3), (1, 1), (32, 32)):
        picture = Image.fromarray(noise.integers(0, 256, (height, width, 3), dtype=np.uint8))
        known = theirs(images=[picture], return_tensors="np")["pixel_values"]
        np.testing.assert_allclose(policy.prepare([picture])["pixel_values"], known, atol=1e-6)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(lambda policy: replace(policy, fit="squash"), id="squashed, not cropped"),
        pytest.param(lambda policy: replace(policy, resample="bilinear"), id="another filter"),
        pytest.param(
            lambda policy: replace(policy, mean=(0.0, 0.0, 0.0), deviation=(1.0, 1.0, 1.0)),
            id="colours not normalised",
        ),
    ],
)
def test_pictures_prepared_otherwise_get_other_vectors(
    fault: Callable[[PicturePolicy], PicturePolicy],
    tower: PairedTower,
    folder: Path,
    golden: dict[str, Any],
    pictures: list[Image.Image],
) -> None:
    wrong = with_policy(tower, fault(read_policy(folder, "crop"))).embed_images(pictures)

    assert np.abs(wrong - golden["image_embeddings"]).max() > FAR


def test_swapped_colours_get_other_vectors(
    tower: PairedTower, golden: dict[str, Any], pictures: list[Image.Image]
) -> None:
    wrong = tower.embed_images([swap_channels(picture) for picture in pictures])

    assert np.abs(wrong - golden["image_embeddings"]).max() > FAR


def test_the_model_itself_does_not_normalise(tower: PairedTower, golden: dict[str, Any]) -> None:
    import torch

    with torch.inference_mode():
        raw = [
            tower._model.get_text_features(input_ids=torch.tensor([ids])).pooler_output.norm()
            for ids in golden["input_ids"]
        ]

    np.testing.assert_allclose(raw, golden["text_raw_norm"], atol=1e-4)
    assert min(raw) > 2


def test_one_input_gets_the_same_vector_alone_and_among_many(
    tower: PairedTower, golden: dict[str, Any], pictures: list[Image.Image]
) -> None:
    texts = [*golden["texts"], *golden["texts"][::-1]]
    many = [*pictures, *pictures[::-1]]

    alone = np.vstack([tower.embed_queries([text]) for text in texts])
    np.testing.assert_allclose(tower.embed_queries(texts), alone, atol=1e-6)
    alone = np.vstack([tower.embed_images([each]) for each in many])
    np.testing.assert_allclose(tower.embed_images(many), alone, atol=1e-6)


def test_nothing_gives_no_rows_and_odd_texts_give_unit_rows(tower: PairedTower) -> None:
    odd = ["", " ", "\ud83d", "日本語", "<|endoftext|>", "x" * 5000]

    vectors = tower.embed_queries(odd)

    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert tower.embed_queries([]).shape == tower.embed_images([]).shape == (0, 24)


def test_capitals_make_no_difference(tower: PairedTower) -> None:
    small, capital = tower.embed_queries(["a bar chart", "A Bar CHART"])

    np.testing.assert_array_equal(small, capital)


def test_a_long_text_is_counted_whole_and_cut(tower: PairedTower, golden: dict[str, Any]) -> None:
    long = golden["texts"][-1]

    assert tower.count_tokens([*golden["texts"]]) == [17, 18, 17, 2, 482]
    assert len(tower._encode(long).ids) == tower.text_cap == CLIP.text_cap == 77
    np.testing.assert_array_equal(
        tower.embed_queries([long]), tower.embed_queries([long + "and an end that is not read"])
    )


def test_it_stands_beside_a_text_model(folder: Path, golden: dict[str, Any]) -> None:
    settings = EmbedSettings(model="minilm+clip", model_dir=folder)

    embedder = load_embedder(settings)

    assert embedder.pictures is not None
    assert (embedder.name, embedder.joint) == ("minilm+clip", False)
    assert (embedder.text.dim, embedder.pictures.dim) == (384, 24)
    assert embedder.identity == identity_of(settings)
    vectors = embedder.pictures.embed_queries(golden["texts"])
    np.testing.assert_allclose(vectors, golden["text_embeddings"], atol=1e-5)


def test_its_identity_names_weights_cap_and_picture_policy(folder: Path) -> None:
    line = load_embedder(settings_for(folder)).picture_identity

    assert line.startswith("clip|clip@sha256:")
    assert line.endswith("|torch-fp32|d24|cap=77|img=crop-bicubic-32-on-white|v1")


def test_the_command_embeds_texts_and_pictures_with_clip_alone(
    folder: Path, golden: dict[str, Any]
) -> None:
    paths = [folder / name for name in golden["images"]]

    result = embed_for_cli(settings_for(folder), queries=golden["texts"], images=paths)

    known = [*golden["text_embeddings"], *golden["image_embeddings"]]
    np.testing.assert_allclose([row.vector for row in result.vectors], known, atol=1e-5)
    assert result.embedder == "clip"
    assert result.identity.startswith("clip|")
    assert result.notes == (
        "A text is 405 tokens longer than the 77 that clip reads; its end was left out.",
    )


def test_the_layout_of_the_published_files_gives_the_same_vectors(
    checkpoint: Path, golden: dict[str, Any], pictures: list[Image.Image]
) -> None:
    # openai/clip-vit-base-patch32 at the pinned revision: sizes as numbers, an end token of 2
    # in config.json (it means "the highest id"), and counters among the weights, which
    # transformers leaves aside.
    stated = json.loads((checkpoint / "processor_config.json").read_text())["image_processor"]
    del stated["rescale_factor"], stated["do_rescale"], stated["do_convert_rgb"]
    old = stated | {"size": 32, "crop_size": 32}
    (checkpoint / "preprocessor_config.json").write_text(json.dumps(old))
    (checkpoint / "processor_config.json").unlink()
    edit_json(checkpoint / "config.json", text_config={"eos_token_id": 2, "bos_token_id": 0})
    counters = {"text_model": np.arange(77)[None], "vision_model": np.arange(17)[None]}
    added = {f"{half}.embeddings.position_ids": row for half, row in counters.items()}
    edit_tensors(checkpoint, add=added)

    tower = load(checkpoint)

    texts, images = tower.embed_queries(golden["texts"]), tower.embed_images(pictures)
    np.testing.assert_allclose(texts, golden["text_embeddings"], atol=1e-5)
    np.testing.assert_allclose(images, golden["image_embeddings"], atol=1e-5)


def test_shorter_vectors_are_refused(folder: Path) -> None:
    with pytest.raises(ConfigError, match="24 numbers and cannot be cut"):
        embed_for_cli(settings_for(folder, dims=8), queries=["a bar chart"])


def test_a_folder_without_it_is_refused_with_what_it_must_hold(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no checkpoint for clip.*preprocessor_config\.json"):
        load_embedder(settings_for(tmp_path))


def test_without_a_folder_and_weights_it_says_how_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))

    with pytest.raises(EmbedError, match=r"openai/clip-vit-base-patch32.*models pull clip"):
        identity_of(EmbedSettings(model="minilm+clip"))


def cut_weights(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:5000])


def edit_pictures(folder: Path, **changes: Any) -> None:
    edit_json(folder / "processor_config.json", image_processor=changes)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda at: edit_tensors(at, drop="logit_scale"), "lacks the tensor logit_scale"),
        (
            lambda at: edit_tensors(at, add={"stray": np.zeros(3, np.float32)}),
            "holds the unknown tensor stray",
        ),
        (cut_weights, "Fetch"),
        (lambda at: (at / "processor_config.json").unlink(), "lacks preprocessor_config.json"),
        (lambda at: (at / "processor_config.json").write_text("{"), "is damaged, or prepares"),
        (lambda at: (at / "processor_config.json").write_text("[]"), "is damaged, or prepares"),
        (lambda at: edit_pictures(at, do_center_crop=False), "do_center_crop is False"),
        (lambda at: edit_pictures(at, do_resize=False), "do_resize is False"),
        (lambda at: edit_pictures(at, rescale_factor=1.0), "rescale_factor is 1"),
        (lambda at: edit_pictures(at, resample=0), "resample is 0"),
        (lambda at: edit_pictures(at, image_std=[1, 1, 0]), "image_std"),
        (lambda at: edit_pictures(at, image_mean=None), "is damaged, or prepares"),
        (
            lambda at: edit_pictures(at, crop_size={"height": 32, "width": 48}),
            "is damaged, or prepares",
        ),
        (lambda at: edit_pictures(at, crop_size=64), "crop_size 64"),
        (lambda at: edit_pictures(at, size=48, crop_size=48), "reads squares of 32 px"),
        (lambda at: (at / "tokenizer.json").write_text("{}"), "cannot be read"),
        (lambda at: (at / "tokenizer.json").unlink(), "lacks tokenizer.json"),
        (
            lambda at: edit_json(at / "config.json", text_config={"vocab_size": 64}),
            "cannot be loaded",
        ),
        (lambda at: edit_json(at / "config.json", projection_dim=12), "cannot be loaded"),
    ],
)
def test_a_damaged_folder_is_refused_in_one_sentence(
    damage: Callable[[Path], None], message: str, checkpoint: Path
) -> None:
    damage(checkpoint)

    with pytest.raises(RagError) as refused:
        load(checkpoint)

    assert message in str(refused.value)
    assert "Traceback" not in str(refused.value)


def test_a_tokenizer_of_another_model_is_refused(checkpoint: Path, shared: Path) -> None:
    other = shared / "fixtures" / "siglip2_tiny" / "naflex" / "tokenizer.json"
    (checkpoint / "tokenizer.json").write_bytes(other.read_bytes())

    with pytest.raises(EmbedError, match=r"tokenizer\.json"):
        load_embedder(settings_for(checkpoint))


def test_an_endless_strip_is_cut_to_its_middle_before_it_is_enlarged(folder: Path) -> None:
    policy = replace(read_policy(folder, "crop"), side_px=224, short_px=224)
    # Enlarged whole, it would be more pixels wide than Pillow can count.
    strip = Image.new("RGB", (10_000_000, 1), "white")
    strip.paste("red", (4_999_000, 0, 5_001_000, 1))

    (pixels,) = policy.prepare([strip])["pixel_values"]

    assert pixels.shape == (3, 224, 224)
    assert np.ptp(pixels, axis=(1, 2)).max() < 1e-6  # red all over
    assert pixels[0].mean() > 0 > pixels[1].mean()
