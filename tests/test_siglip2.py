"""SigLIP 2 on tiny checkpoints with random weights, NaFlex and fixed-size, held to transformers."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from rag.embed.catalogue import SIGLIP2
from rag.embed.load import identity_of, load_embedder, load_lanes
from rag.embed.once import embed_for_cli
from rag.embed.picture_policy import read_policy
from rag.embed.siglip2 import load_words, refuse_capitals
from rag.embed.tokens import load_tokenizer
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


@pytest.fixture(scope="module", params=["naflex", "fixres"])
def folder(request: pytest.FixtureRequest, shared: Path) -> Path:
    return shared / "fixtures" / "siglip2_tiny" / str(request.param)


@pytest.fixture(scope="module")
def naflex(shared: Path) -> Path:
    return shared / "fixtures" / "siglip2_tiny" / "naflex"


@pytest.fixture(scope="module")
def fixres(shared: Path) -> Path:
    return shared / "fixtures" / "siglip2_tiny" / "fixres"


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
def checkpoint(naflex: Path, tmp_path: Path) -> Path:
    """A folder of one's own, to be damaged."""
    return copy_checkpoint(naflex, tmp_path / "siglip2")


def settings_for(folder: Path, **more: Any) -> EmbedSettings:
    return EmbedSettings(model="siglip2", model_dir=folder, **more)


def load(folder: Path) -> PairedTower:
    tower: Any = load_lanes(SIGLIP2, settings_for(folder), {"image"}).pictures
    loaded: PairedTower = tower
    return loaded


def with_policy(tower: PairedTower, **changes: Any) -> PairedTower:
    """The same model, fed in another way."""
    other = copy.copy(tower)
    other._policy = replace(tower._policy, **changes)
    return other


def forget_capitals(path: Path) -> None:
    """Turn a tokenizer into the published one, which does not lower-case."""
    normalizers = json.loads(path.read_text(encoding="utf-8"))["normalizer"]["normalizers"]
    (own,) = (each for each in normalizers if each["type"] != "Lowercase")
    edit_json(path, drop=("normalizer",))
    edit_json(path, normalizer=own)


def test_texts_and_pictures_get_the_known_vectors(
    tower: PairedTower, golden: dict[str, Any], pictures: list[Image.Image]
) -> None:
    texts = tower.embed_queries(golden["texts"])
    images = tower.embed_images(pictures)

    np.testing.assert_allclose(texts, golden["text_embeddings"], atol=1e-5)
    np.testing.assert_allclose(images, golden["image_embeddings"], atol=1e-5)
    np.testing.assert_allclose(texts @ images.T, golden["cosine_text_image"], atol=1e-5)
    assert (texts.dtype, texts.shape, tower.dim) == (np.float32, (5, 32), 32)


def test_texts_get_the_known_token_ids(folder: Path, golden: dict[str, Any]) -> None:
    tokenizer, pad_id = load_words(folder / "tokenizer.json")

    rows = [tokenizer.encode(text).ids for text in golden["texts"]]

    assert [row + [pad_id] * (64 - len(row)) for row in rows] == golden["input_ids"]


def test_pictures_are_patched_as_transformers_patches_them(naflex: Path) -> None:
    from transformers.models.siglip2.image_processing_pil_siglip2 import Siglip2ImageProcessorPil

    theirs = Siglip2ImageProcessorPil(patch_size=8, max_num_patches=16)
    noise = np.random.default_rng(0)
    policy = read_policy(naflex, "patches")

    for width, height in ((33, 90), (2000, 7), (64, 64), (301, 200), (5, 3), (32, 32), (7, 400)):
        picture = Image.fromarray(noise.integers(0, 256, (height, width, 3), dtype=np.uint8))
        known = theirs(images=[picture], return_tensors="np")
        found = policy.prepare([picture])
        count = found["pixel_values"].shape[1]
        assert known["pixel_attention_mask"].sum() == found["pixel_attention_mask"].sum() == count
        np.testing.assert_array_equal(found["spatial_shapes"], known["spatial_shapes"])
        np.testing.assert_allclose(
            found["pixel_values"], known["pixel_values"][:, :count], atol=1e-6
        )


def test_pictures_are_squashed_as_transformers_squashes_them(fixres: Path) -> None:
    from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

    theirs = SiglipImageProcessorPil(size={"height": 32, "width": 32})
    noise = np.random.default_rng(0)
    policy = read_policy(fixres, "squash")

    for width, height in ((33, 90), (2000, 7), (64, 64), (5, 3), (1, 1), (32, 32)):
        picture = Image.fromarray(noise.integers(0, 256, (height, width, 3), dtype=np.uint8))
        known = theirs(images=[picture], return_tensors="np")["pixel_values"]
        np.testing.assert_allclose(policy.prepare([picture])["pixel_values"], known, atol=1e-6)


@given(
    width=st.integers(1, 30_000),
    height=st.integers(1, 30_000),
    max_patches=st.integers(1, 1024),
)
def test_a_patch_grid_keeps_its_budget_and_the_shape(
    width: int, height: int, max_patches: int
) -> None:
    from rag.embed.pixels import patch_grid

    rows, columns = patch_grid(width, height, patch_px=16, max_patches=max_patches)

    assert rows >= 1
    assert columns >= 1
    assert rows * columns <= max_patches
    assert (rows <= columns) if width >= height else (rows >= columns)


def test_text_that_is_not_padded_to_the_full_width_gets_another_vector(
    tower: PairedTower, golden: dict[str, Any]
) -> None:
    unpadded = copy.copy(tower)
    unpadded._has_full_width = False

    (wrong,) = unpadded.embed_queries(golden["texts"][:1])

    cosine = wrong @ np.array(golden["text_embeddings"][0])
    assert cosine == pytest.approx(golden["text0_without_max_length_padding_cosine"], abs=1e-5)


def test_text_under_an_attention_mask_gets_another_vector(
    tower: PairedTower, golden: dict[str, Any]
) -> None:
    import torch

    ids = torch.tensor(golden["input_ids"][:1])
    with torch.inference_mode():
        features = tower._model.get_text_features(
            input_ids=ids,
            attention_mask=(ids != 0).long(),  # type: ignore[call-arg]
        ).pooler_output[0]

    wrong = (features / features.norm()).numpy()
    assert wrong @ np.array(golden["text_embeddings"][0]) < 0.9


def test_the_published_tokenizer_is_made_to_read_small_letters(
    checkpoint: Path, golden: dict[str, Any]
) -> None:
    forget_capitals(checkpoint / "tokenizer.json")
    plain = load_tokenizer(checkpoint / "tokenizer.json", cap=64)
    assert plain.encode("A BAR").ids != plain.encode("a bar").ids

    tokenizer, _ = load_words(checkpoint / "tokenizer.json")

    known = [[token for token in row if token] for row in golden["input_ids"]]
    assert [tokenizer.encode(text).ids for text in golden["texts"]] == known


def test_a_tokenizer_that_tells_capitals_apart_is_refused(checkpoint: Path) -> None:
    forget_capitals(checkpoint / "tokenizer.json")

    with pytest.raises(EmbedError, match="tells capitals from small letters"):
        refuse_capitals(load_tokenizer(checkpoint / "tokenizer.json", cap=64))


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"resample": "nearest"}, id="another filter"),
        pytest.param({"mean": (0.0,) * 3, "deviation": (1.0,) * 3}, id="colours not normalised"),
    ],
)
def test_pictures_prepared_otherwise_get_other_vectors(
    changes: dict[str, Any],
    tower: PairedTower,
    golden: dict[str, Any],
    pictures: list[Image.Image],
) -> None:
    wrong = with_policy(tower, **changes).embed_images(pictures)

    assert np.abs(wrong - golden["image_embeddings"]).max() > FAR


def test_swapped_colours_get_other_vectors(
    tower: PairedTower, golden: dict[str, Any], pictures: list[Image.Image]
) -> None:
    swapped = [Image.fromarray(np.asarray(each)[:, :, ::-1].copy()) for each in pictures]

    wrong = tower.embed_images(swapped)

    assert np.abs(wrong - golden["image_embeddings"]).max() > FAR


def test_a_picture_that_is_cropped_gets_another_vector_than_a_squashed_one(fixres: Path) -> None:
    tower, known = load(fixres), read_golden(fixres)["image_embeddings"]

    wrong = with_policy(tower, fit="crop", short_px=32).embed_images(open_pictures(fixres))

    assert np.abs(wrong - known).max() > FAR


def test_a_picture_that_loses_its_shape_gets_another_vector(naflex: Path) -> None:
    tower, known = load(naflex), read_golden(naflex)["image_embeddings"]
    squashed = [each.resize((64, 64)) for each in open_pictures(naflex)]

    wrong = tower.embed_images(squashed)

    assert np.abs(wrong[0] - known[0]).max() > FAR


def test_patches_in_another_order_get_another_vector(naflex: Path) -> None:
    tower, known = load(naflex), read_golden(naflex)["image_embeddings"]
    inputs = tower._policy.prepare(open_pictures(naflex)[:1])

    inputs["spatial_shapes"] = inputs["spatial_shapes"][:, ::-1].copy()

    assert np.abs(tower._embed_pixels(inputs)[0] - known[0]).max() > FAR


def test_one_input_gets_the_same_vector_alone_and_among_many(
    tower: PairedTower, golden: dict[str, Any], pictures: list[Image.Image]
) -> None:
    texts = [*golden["texts"], *golden["texts"][::-1]]
    many = [*pictures, Image.new("RGB", (1, 1)), *pictures[::-1]]

    alone = np.vstack([tower.embed_queries([text]) for text in texts])
    np.testing.assert_allclose(tower.embed_queries(texts), alone, atol=1e-6)
    alone = np.vstack([tower.embed_images([each]) for each in many])
    np.testing.assert_allclose(tower.embed_images(many), alone, atol=1e-6)


def test_nothing_gives_no_rows_and_odd_texts_give_unit_rows(tower: PairedTower) -> None:
    odd = ["", " ", "\ud83d", "日本語", "<eos>", "<pad>", "x" * 5000]

    vectors = tower.embed_queries(odd)

    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert tower.embed_queries([]).shape == tower.embed_images([]).shape == (0, 32)


def test_a_long_text_is_counted_whole_and_cut(tower: PairedTower, golden: dict[str, Any]) -> None:
    long = golden["texts"][-1]

    assert tower.count_tokens(golden["texts"]) == [23, 23, 23, 1, 601]
    assert tower.text_cap == SIGLIP2.text_cap == 64
    np.testing.assert_array_equal(
        tower.embed_queries([long]), tower.embed_queries([long + "and an end that is not read"])
    )


def test_it_stands_beside_a_text_model(folder: Path, golden: dict[str, Any]) -> None:
    settings = EmbedSettings(model="minilm+siglip2", model_dir=folder)

    embedder = load_embedder(settings)

    assert embedder.pictures is not None
    assert (embedder.name, embedder.joint) == ("minilm+siglip2", False)
    assert (embedder.text.dim, embedder.pictures.dim) == (384, 32)
    assert embedder.identity == identity_of(settings)
    vectors = embedder.pictures.embed_queries(golden["texts"])
    np.testing.assert_allclose(vectors, golden["text_embeddings"], atol=1e-5)


def test_its_identity_names_weights_cap_case_padding_and_picture_policy(
    naflex: Path, fixres: Path
) -> None:
    lines = [load_embedder(settings_for(each)).picture_identity for each in (naflex, fixres)]

    start, policies = (
        "|torch-fp32|d32|cap=64|q=lower+pad64|img=",
        ("naflex-bilinear-p8-n16", "squash-bicubic-32"),
    )
    for line, policy in zip(lines, policies, strict=True):
        assert line.startswith("siglip2|siglip2@sha256:")
        assert line.endswith(f"{start}{policy}-on-white|v1")


def test_the_command_embeds_texts_and_pictures_with_siglip2_alone(
    folder: Path, golden: dict[str, Any]
) -> None:
    paths = [folder / name for name in golden["images"]]

    result = embed_for_cli(settings_for(folder), queries=golden["texts"], images=paths)

    known = [*golden["text_embeddings"], *golden["image_embeddings"]]
    np.testing.assert_allclose([row.vector for row in result.vectors], known, atol=1e-5)
    assert result.notes == (
        "A text is 537 tokens longer than the 64 that siglip2 reads; its end was left out.",
    )


def test_what_the_published_config_leaves_out_is_filled_in(naflex: Path) -> None:
    from rag.embed.checkpoints import CheckpointFiles
    from rag.embed.siglip2 import _dim

    # config.json of the pinned revision is 329 bytes long and names no width.
    files = CheckpointFiles(
        folder=naflex,
        source="",
        config={"model_type": "siglip2", "vision_config": {"model_type": "siglip2_vision_model"}},
    )

    assert _dim(files) == SIGLIP2.dims == 768


def test_shorter_vectors_are_refused(folder: Path) -> None:
    with pytest.raises(ConfigError, match="32 numbers and cannot be cut"):
        embed_for_cli(settings_for(folder, dims=8), queries=["a bar chart"])


def test_a_folder_without_it_is_refused_with_what_it_must_hold(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no checkpoint for siglip2.*patch16-naflex"):
        load_embedder(settings_for(tmp_path))


def rename_token(folder: Path, old: str, new: str) -> None:
    path = folder / "tokenizer.json"
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda at: edit_tensors(at, drop="logit_bias"), "lacks the tensor logit_bias"),
        (
            lambda at: edit_tensors(at, add={"stray": np.zeros(3, np.float32)}),
            "holds the unknown tensor stray",
        ),
        (lambda at: (at / "model.safetensors").write_bytes(b"x" * 99), "cannot be loaded"),
        (lambda at: (at / "preprocessor_config.json").unlink(), "lacks preprocessor_config.json"),
        (
            lambda at: edit_json(at / "preprocessor_config.json", patch_size=16),
            "reads squares of 8 px",
        ),
        (
            lambda at: edit_json(at / "preprocessor_config.json", max_num_patches=0),
            "is damaged, or prepares",
        ),
        (
            lambda at: edit_json(at / "preprocessor_config.json", drop=("image_std",)),
            "image_std",
        ),
        # What the first SigLIP has in its place.
        (lambda at: rename_token(at, "<eos>", "</s>"), "is not of SigLIP 2"),
        (
            lambda at: edit_json(at / "config.json", text_config={"vocab_size": 64}),
            "cannot be loaded",
        ),
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
