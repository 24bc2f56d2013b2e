"""Files of EmbeddingGemma 2: what is read, what is refused, and what names the vectors."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rag.embed.catalogue import GEMMA, GEMMA_CHECKPOINT
from rag.embed.gemma import IMAGE_DEFAULTS
from rag.embed.load import identity_of, lane_identities, load_embedder
from rag.embed.once import embed_for_cli
from rag.errors import ConfigError, EmbedError
from rag.settings import EmbedSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from rag.embed.gemma_tower import GemmaTower
    from rag.embed.lanes import Embedder


@pytest.fixture(scope="module")
def folder(shared: Path) -> Path:
    return shared / "fixtures" / "embeddinggemma2_tiny"


@pytest.fixture(scope="module")
def golden(folder: Path) -> Mapping[str, Any]:
    content: dict[str, Any] = json.loads((folder / "golden.json").read_text(encoding="utf-8"))
    return content


@pytest.fixture
def checkpoint(folder: Path, tmp_path: Path) -> Path:
    """A folder of one's own, to be damaged."""
    copy = tmp_path / "gemma"
    shutil.copytree(folder, copy, copy_function=shutil.copyfile)
    copy.chmod(0o755)
    return copy


def load(folder: Path, **settings: Any) -> Embedder:
    return load_embedder(EmbedSettings(model="gemma", model_dir=folder, **settings))


def tower_of(lane: object) -> GemmaTower:
    tower: GemmaTower = lane._tower  # type: ignore[attr-defined]
    return tower


def edit_json(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def edit_tensors(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    from safetensors.torch import load_file, save_file

    path = folder / "model.safetensors"
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path, metadata={"format": "pt"})


@pytest.mark.parametrize("name", ["processor_config.json", "preprocessor_config.json"])
def test_image_settings_are_read_from_either_file(checkpoint: Path, name: str) -> None:
    (checkpoint / "preprocessor_config.json").unlink()
    usual = identity_of(EmbedSettings(model="gemma", model_dir=checkpoint))
    changed: dict[str, Any] = {**IMAGE_DEFAULTS, "resample": 2, "max_soft_tokens": 280}
    if name == "processor_config.json":
        content = {"image_processor": changed, "feature_extractor": {"sampling_rate": 16000}}
    else:
        content = changed | {"image_processor_type": "Gemma4ImageProcessor"}
    (checkpoint / name).write_text(json.dumps(content))

    loaded = load(checkpoint)

    assert usual.endswith("|ip=Gemma4ImageProcessorPil|v1")
    assert loaded.picture_identity.endswith("|ip=Gemma4ImageProcessorPil(resample=2)|v1")
    assert tower_of(loaded.pictures)._processor.resample == 2  # type: ignore[union-attr]


def test_without_image_settings_the_usual_ones_hold(
    checkpoint: Path, golden: Mapping[str, Any]
) -> None:
    (checkpoint / "preprocessor_config.json").write_text('{"feature_size": 128}')
    settings = EmbedSettings(model="gemma", model_dir=checkpoint)

    result = embed_for_cli(settings, images=[checkpoint / name for name in golden["images"]])

    vectors = [row.vector for row in result.vectors]
    np.testing.assert_allclose(vectors, golden["image_embeddings"], atol=1e-5)


def test_published_weights_in_bfloat16_with_an_audio_tower_compute_in_float32(
    checkpoint: Path, golden: Mapping[str, Any]
) -> None:
    import torch

    def publish(tensors: dict[str, Any]) -> None:
        for name in tensors:
            tensors[name] = tensors[name].bfloat16()
        tensors["audio_tower.layers.0.weight"] = torch.zeros(3, 3)
        tensors["embed_audio.embedding_projection.weight"] = torch.zeros(3, 3)

    edit_tensors(checkpoint, publish)
    edit_json(
        checkpoint / "config.json", audio_config={"model_type": "gemma4_audio"}, dtype="bfloat16"
    )

    single, half = load(checkpoint), load(checkpoint, precision="bf16")
    exact, rough = (each.text.embed_queries(golden["queries"]) for each in (single, half))

    assert "|torch-fp32|" in single.text_identity
    assert "|torch-bf16|" in half.text_identity
    assert tower_of(single.text)._model.audio_tower is None
    assert tower_of(half.text)._model.dtype == torch.bfloat16
    assert exact.dtype == rough.dtype == np.float32
    assert 0 < np.abs(exact - np.array(golden["query_embeddings"])).max() < 0.02
    assert 0.999 < (exact * rough).sum(axis=1).min() < 1


def test_another_precision_is_refused(folder: Path) -> None:
    with pytest.raises(ConfigError, match="fp32 or bf16, not in int8"):
        load(folder, precision="int8")


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("gemma", "language_model.norm.weight"),
        ("gemma", "vision_tower.encoder.layers.1.mlp.up_proj.linear.weight"),
        ("gemma-text", "language_model.layers.2.layer_scalar"),
    ],
)
def test_a_missing_tensor_is_refused_by_name(checkpoint: Path, model: str, name: str) -> None:
    edit_tensors(checkpoint, lambda tensors: tensors.pop(name))

    with pytest.raises(EmbedError, match=f"lacks the tensor {name}"):
        load_embedder(EmbedSettings(model=model, model_dir=checkpoint))


@pytest.mark.parametrize(
    "name", ["language_model.head.weight", "vision_tower.bias", "embed_vision.norm.weight"]
)
def test_an_unknown_tensor_is_refused_by_name(checkpoint: Path, name: str) -> None:
    def add(tensors: dict[str, Any]) -> None:
        tensors[name] = tensors["language_model.norm.weight"].clone()

    edit_tensors(checkpoint, add)

    with pytest.raises(EmbedError, match=f"holds the unknown tensor {name}"):
        load(checkpoint)


def test_a_tensor_of_another_shape_is_refused_by_name(checkpoint: Path) -> None:
    def widen(tensors: dict[str, Any]) -> None:
        tensors["language_model.norm.weight"] = tensors["language_model.norm.weight"].repeat(2)

    edit_tensors(checkpoint, widen)

    with pytest.raises(EmbedError, match=r"language_model\.norm\.weight .* is \[64\]"):
        load(checkpoint)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("model.safetensors", "torn", "is damaged"),
        ("tokenizer.json", "{}", "cannot be read"),
        ("preprocessor_config.json", "{", "cannot be read"),
        ("config.json", '{"model_type": "embedding_gemma2"}', "names no vector length"),
    ],
)
def test_a_damaged_file_is_refused_by_name(
    checkpoint: Path, name: str, content: str, message: str
) -> None:
    (checkpoint / name).write_text(content)

    with pytest.raises(EmbedError, match=rf"{name}.* {message}"):
        load(checkpoint)


def test_a_config_that_transformers_cannot_read_is_refused(checkpoint: Path) -> None:
    config = json.loads((checkpoint / "config.json").read_text())
    broken = config["text_config"] | {"hidden_size": "wide"}
    edit_json(checkpoint / "config.json", text_config=broken)

    with pytest.raises(EmbedError, match=r"config\.json is not usable"):
        load(checkpoint)


def test_a_folder_without_the_vision_tower_serves_text_only(
    checkpoint: Path, golden: Mapping[str, Any]
) -> None:
    edit_json(checkpoint / "config.json", vision_config=None)
    settings = EmbedSettings(model="gemma", model_dir=checkpoint)

    half = load_embedder(settings)

    assert half.pictures is None
    assert half.identity == identity_of(settings) == half.text_identity
    np.testing.assert_allclose(
        half.text.embed_queries(golden["queries"]), golden["query_embeddings"], atol=1e-5
    )
    with pytest.raises(ConfigError, match="only the text half of gemma"):
        lane_identities(GEMMA, settings, {"image"})


def test_only_lengths_that_were_trained_are_taken_of_the_published_weights(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = json.loads((checkpoint / "config.json").read_text())
    edit_json(
        checkpoint / "config.json", text_config=config["text_config"] | {"embedding_dim": 768}
    )
    home = tmp_path / "models--google--embeddinggemma-2" / "snapshots"
    home.mkdir(parents=True)
    checkpoint.rename(home / GEMMA_CHECKPOINT.revision)
    monkeypatch.setattr("rag.embed.checkpoints._default_hub_cache", lambda: tmp_path)

    assert "google/embeddinggemma-2@914f7f89142e|torch-fp32|d256|" in identity_of(
        EmbedSettings(model="gemma", dims=256)
    )
    for dims in (500, 64, 1024):
        with pytest.raises(ConfigError, match=rf"768, 512, 256 or 128 .* not {dims}"):
            identity_of(EmbedSettings(model="gemma", dims=dims))


def test_a_length_beyond_the_model_is_refused(folder: Path) -> None:
    with pytest.raises(ConfigError, match="1 to 48 numbers long, not 49"):
        load(folder, dims=49)
