"""Nomic on tiny checkpoints with random weights, held to vectors of the original code."""

from __future__ import annotations

import json
import shutil
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import pytest
import torch
from PIL import Image

from rag.embed.catalogue import NOMIC, NOMIC_TEXT, NOMIC_VISION
from rag.embed.checkpoints import find_checkpoint
from rag.embed.load import identity_of, lane_identities, load_embedder
from rag.embed.turns import Turns
from rag.errors import ConfigError, EmbedError
from rag.settings import EmbedSettings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from transformers.models.nomic_bert.modeling_nomic_bert import NomicBertModel

    from rag.embed.catalogue import LaneName, Precision
    from rag.embed.checkpoints import CheckpointFiles
    from rag.embed.lanes import Array, Embedder


@pytest.fixture(scope="module")
def text_dir(shared: Path) -> Path:
    return shared / "fixtures" / "nomic_text_tiny"


@pytest.fixture(scope="module")
def vision_dir(shared: Path) -> Path:
    return shared / "fixtures" / "nomic_vision_tiny"


@pytest.fixture(scope="module")
def embedder(shared: Path) -> Embedder:
    return load_embedder(EmbedSettings(model="nomic", model_dir=shared / "fixtures"))


@pytest.fixture
def checkpoint(text_dir: Path, vision_dir: Path, tmp_path: Path) -> Path:
    """A folder of one's own with both halves, to be damaged."""
    shutil.copytree(text_dir, tmp_path / "text", copy_function=shutil.copyfile)
    shutil.copytree(vision_dir, tmp_path / "vision", copy_function=shutil.copyfile)
    for folder in (tmp_path / "text", tmp_path / "vision"):
        folder.chmod(0o755)
    return tmp_path


def golden(folder: Path) -> Mapping[str, Array]:
    return dict(np.load(folder / "golden.npz"))


def edit_config(folder: Path, **changes: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def edit_tensors(folder: Path, *, drop: str = "", add: str = "", widen: str = "") -> None:
    from safetensors.numpy import load_file, save_file

    path = folder / "model.safetensors"
    tensors = load_file(path)
    if widen:
        tensors[widen] = np.concatenate([tensors[widen]] * 2)
    if add:
        tensors[add] = np.zeros(3, dtype=np.float32)
    tensors.pop(drop, None)
    save_file(tensors, path, metadata={"format": "pt"})


def load(folder: Path) -> Embedder:
    return load_embedder(EmbedSettings(model="nomic", model_dir=folder))


def text_files(folder: Path) -> CheckpointFiles:
    return find_checkpoint(NOMIC_TEXT, name="nomic", model_dir=folder)


CPU = torch.device("cpu")


def run_text_encoder(
    folder: Path, inputs: Mapping[str, Array], *, rows: Sequence[int] = (0, 1, 2, 3)
) -> tuple[Array, Array, Array]:
    """Token states, pooled vector, pooled vector without LayerNorm."""
    from rag.embed.nomic_text import load_encoder
    from rag.embed.packed import mean_of_each, pack
    from rag.embed.text_tower import to_unit

    ids, mask = inputs["input_ids"], inputs["attention_mask"] == 1
    packed = pack([ids[row][mask[row]].tolist() for row in rows])
    with torch.inference_mode():
        states = load_encoder(text_files(folder), device=CPU)(packed, lambda: None)
        means = mean_of_each(states, packed.lengths)
        pooled = [to_unit(means, has_layer_norm=flag).numpy() for flag in (True, False)]
    return states.numpy(), pooled[0], pooled[1]


def test_text_states_and_vectors_are_those_of_the_original(text_dir: Path) -> None:
    known = golden(text_dir)

    states, vectors, _ = run_text_encoder(text_dir, known)

    is_real = known["attention_mask"] == 1
    np.testing.assert_allclose(states, known["last_hidden_state"][is_real], atol=1e-4)
    np.testing.assert_allclose(vectors, known["embedding"], atol=1e-5)


def test_vectors_without_the_layer_norm_are_other_vectors(text_dir: Path) -> None:
    known = golden(text_dir)

    _, _, without = run_text_encoder(text_dir, known)

    np.testing.assert_allclose(without, known["pooled_l2_without_layer_norm"], atol=1e-5)
    assert np.abs(without - known["embedding"]).max() > 5e-3


def test_strings_get_the_known_vectors_with_the_prefix_added_inside(
    text_dir: Path, embedder: Embedder
) -> None:
    known = json.loads((text_dir / "golden_strings.json").read_text())
    is_document = [text.startswith("search_document: ") for text in known["texts"]]
    documents = [text[17:] for text in known["texts"] if text.startswith("search_document: ")]

    vectors = embedder.text.embed_documents(documents)
    query = embedder.text.embed_queries([known["texts"][0].removeprefix("search_query: ")])

    np.testing.assert_allclose(vectors, np.array(known["embedding"])[is_document], atol=1e-5)
    np.testing.assert_allclose(query[0], known["embedding"][0], atol=1e-5)


@pytest.mark.parametrize("dims", [16, 8])
def test_cut_vectors_are_the_first_numbers_of_the_known_ones_at_unit_length(
    text_dir: Path, dims: int
) -> None:
    known = json.loads((text_dir / "golden_strings.json").read_text())
    questions = [text for text in known["texts"] if text.startswith("search_query: ")]
    rows = [known["embedding"][known["texts"].index(text)] for text in questions]
    cut = np.array(rows, dtype=np.float32)[:, :dims]

    settings = EmbedSettings(model="nomic-text", model_dir=text_dir, dims=dims)
    embedder = load_embedder(settings)
    vectors = embedder.text.embed_queries(
        [text.removeprefix("search_query: ") for text in questions]
    )

    expected = cut / np.linalg.norm(cut, axis=1, keepdims=True)
    assert embedder.text.dim == dims
    assert f"|d{dims}|" in embedder.identity
    np.testing.assert_allclose(vectors, expected, atol=1e-5)


def test_a_space_with_pictures_cannot_be_cut(shared: Path) -> None:
    settings = EmbedSettings(model="nomic", model_dir=shared / "fixtures", dims=16)

    with pytest.raises(ConfigError, match=r"not trained for shorter vectors\. Use nomic-text"):
        load_embedder(settings)


@pytest.mark.parametrize("precision", ["bf16", "int8"])
def test_nomic_is_computed_in_float32_and_nothing_less(text_dir: Path, precision: str) -> None:
    settings = EmbedSettings(
        model="nomic", model_dir=text_dir, precision=cast("Precision", precision)
    )

    with pytest.raises(ConfigError, match=f"nomic computes in fp32, not in {precision}"):
        identity_of(settings)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_refused(text_dir: Path) -> None:
    settings = EmbedSettings(model="nomic", model_dir=text_dir, device="cuda")

    with pytest.raises(ConfigError, match="torch sees no GPU here"):
        load_embedder(settings)


def test_weights_are_mapped_and_not_copied(text_dir: Path, tmp_path: Path) -> None:
    shutil.copytree(text_dir, tmp_path / "own", copy_function=shutil.copyfile)
    from rag.embed.nomic_text import load_encoder

    encoder = load_encoder(text_files(tmp_path / "own"), device=CPU)

    maps = Path("/proc/self/maps")
    if not maps.exists():
        pytest.skip("needs Linux")
    addresses = [
        tuple(int(end, 16) for end in line.split()[0].split("-"))
        for line in maps.read_text().splitlines()
        if line.endswith(str(tmp_path / "own" / "model.safetensors"))
    ]
    places = [weights.data_ptr() for weights in encoder.parameters()]
    assert all(any(low <= place < high for low, high in addresses) for place in places)


def test_vision_states_and_vectors_are_those_of_the_original(vision_dir: Path) -> None:
    from rag.embed.picture_tower import load_encoder

    known = golden(vision_dir)
    files = find_checkpoint(NOMIC_VISION, name="nomic", model_dir=vision_dir)
    encoder, pixels = load_encoder(files, device=CPU), torch.from_numpy(known["pixel_values"])

    with torch.inference_mode():
        states = encoder.encode(pixels, lambda: None).numpy()
        pooled = encoder(pixels, lambda: None).numpy()

    np.testing.assert_allclose(states, known["encoder_hidden_state"], atol=1e-4)
    np.testing.assert_allclose(pooled, known["pooled_token0"], atol=1e-4)
    unit = pooled / np.linalg.norm(pooled, axis=1, keepdims=True)
    np.testing.assert_allclose(unit, known["embedding"], atol=1e-5)


def test_the_sample_picture_gives_the_known_pixels(vision_dir: Path) -> None:
    from rag.embed.pixels import squash, to_pixels

    known = np.load(vision_dir / "golden_preprocess.npz")
    sample = Image.open(vision_dir / "sample_300x200.png")

    resized = np.asarray(squash(sample, side_px=224)).astype(int)
    assert np.abs(resized - known["resized_uint8"]).max() <= 1
    np.testing.assert_allclose(to_pixels([sample], side_px=224), known["pixel_values"], atol=1e-5)


def test_transparency_is_white_and_deep_grey_keeps_its_shades() -> None:
    from rag.embed.pixels import to_rgb_on_white

    hidden_red = Image.new("RGBA", (4, 4), (255, 0, 0, 0))
    ramp = Image.fromarray(np.linspace(0, 65_535, 256).astype(np.uint16)[None, :])

    assert to_rgb_on_white(hidden_red).getpixel((0, 0)) == (255, 255, 255)
    assert to_rgb_on_white(hidden_red.convert("LA")).getpixel((0, 0)) == (255, 255, 255)
    assert len(np.unique(np.asarray(to_rgb_on_white(ramp)))) == 256


def test_one_text_or_picture_gets_the_same_vector_alone_and_among_many(
    vision_dir: Path, embedder: Embedder
) -> None:
    assert embedder.pictures
    texts = [" ".join(["revenue"] * (1 + 11 * n % 17)) for n in range(20)]
    sample = Image.open(vision_dir / "sample_300x200.png").convert("RGB")
    pictures = [sample.crop((0, 0, 20 + 14 * n, 30 + 8 * n)) for n in range(20)]

    text_vectors = embedder.text.embed_documents(texts)
    picture_vectors = embedder.pictures.embed_images(pictures)

    alone = np.vstack([embedder.text.embed_documents([text]) for text in texts])
    np.testing.assert_allclose(text_vectors, alone, atol=1e-5)
    alone = np.vstack([embedder.pictures.embed_images([each]) for each in pictures])
    np.testing.assert_allclose(picture_vectors, alone, atol=1e-5)


def test_nothing_gives_no_rows_and_odd_texts_give_unit_rows(embedder: Embedder) -> None:
    assert embedder.pictures
    assert embedder.text.embed_documents([]).shape == (0, 32)
    assert embedder.pictures.embed_images([]).shape == (0, 32)
    assert embedder.pictures.embed_queries([]).shape == (0, 32)

    vectors = embedder.text.embed_documents(["", "a" * 10_000, "revenue " * 10_000, "\ud800"])

    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_both_lanes_share_one_space_and_one_question(embedder: Embedder) -> None:
    assert embedder.joint
    assert embedder.pictures
    assert embedder.text.dim == embedder.pictures.dim == 32
    question = ["What is the revenue growth?"]
    np.testing.assert_array_equal(
        embedder.text.embed_queries(question), embedder.pictures.embed_queries(question)
    )


class RecordingTurns(Turns):
    """Turns that notes who asked and who was served, and says when documents are under way."""

    def __init__(self) -> None:
        super().__init__()
        self.log: list[str] = []
        self.under_way = threading.Event()

    @contextmanager
    def take(self, *, question: bool) -> Iterator[None]:
        if question:
            self.log.append("asked")
        with super().take(question=question):
            self.log.append("question" if question else "document")
            if len(self.log) > 3:
                self.under_way.set()
            yield


def test_a_question_is_answered_within_a_batch_or_two_of_200_documents(text_dir: Path) -> None:
    from rag.embed.nomic_text import load_nomic_text

    files, turns = text_files(text_dir), RecordingTurns()
    lane = load_nomic_text(files, turns=turns, batch_size=1, dim=32, device=CPU)
    documents = ["revenue growth " * 400] * 200
    writer = threading.Thread(target=lane.embed_documents, args=(documents,))

    writer.start()
    assert turns.under_way.wait(timeout=30)
    lane.embed_queries(["revenue"])
    writer.join(timeout=60)

    asked, served = turns.log.index("asked"), turns.log.index("question")
    assert served - asked <= 2
    assert turns.log.count("document") == 200
    assert "document" in turns.log[served:]


@pytest.mark.parametrize("folder", ["nomic_text_tiny", "nomic_vision_tiny"])
def test_a_folder_may_hold_one_half_and_the_identity_names_only_that(
    shared: Path, folder: str
) -> None:
    settings = EmbedSettings(model="nomic", model_dir=shared / "fixtures" / folder)
    lane: LaneName = "image" if folder == "nomic_vision_tiny" else "text"

    lines = lane_identities(NOMIC, settings, (lane,))

    assert lines.keys() == {lane}
    assert ("search_query" in lines[lane]) == (lane == "text")
    assert ("img=" in lines[lane]) == (lane == "image")


def test_a_text_half_alone_makes_an_embedder_without_pictures(text_dir: Path) -> None:
    alone = load(text_dir)

    assert alone.pictures is None
    assert not alone.joint


def test_a_picture_half_alone_cannot_serve_a_library(vision_dir: Path) -> None:
    with pytest.raises(ConfigError, match="holds only the picture half of nomic"):
        load(vision_dir)


def test_half_precision_files_are_read_as_float32(checkpoint: Path) -> None:
    from safetensors.numpy import load_file, save_file

    for half in ("text", "vision"):
        path = checkpoint / half / "model.safetensors"
        tensors = {name: value.astype(np.float16) for name, value in load_file(path).items()}
        save_file(tensors, path, metadata={"format": "pt"})

    halved = load(checkpoint)

    assert halved.text.embed_queries(["revenue"]).dtype == np.float32


def native_encoder(text_dir: Path) -> NomicBertModel:
    """transformers' own class on the same files, its weight mapping included."""
    from transformers.models.nomic_bert.configuration_nomic_bert import NomicBertConfig
    from transformers.models.nomic_bert.modeling_nomic_bert import NomicBertModel

    config = NomicBertConfig(
        vocab_size=128,
        type_vocab_size=2,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=256,
        layer_norm_eps=1e-12,
        max_position_embeddings=8192,
        hidden_act="silu",
        attention_probs_dropout_prob=0.0,
        hidden_dropout_prob=0.0,
        rope_parameters={"rope_type": "default", "rope_theta": 1000.0},
    )
    model: NomicBertModel = NomicBertModel.from_pretrained(text_dir, config=config)
    return model.eval()


def test_states_are_those_of_the_native_class(text_dir: Path) -> None:
    from rag.embed.nomic_text import load_encoder
    from rag.embed.packed import pack

    chance = np.random.default_rng(3)
    rows = [chance.integers(5, 128, length).tolist() for length in (1, 7, 300, 2048)]
    native, own = native_encoder(text_dir), load_encoder(text_files(text_dir), device=CPU)

    with torch.inference_mode():
        states = own(pack(rows), lambda: None)
        expected = [native(input_ids=torch.tensor([row])).last_hidden_state[0] for row in rows]

    np.testing.assert_allclose(states.numpy(), torch.cat(expected).numpy(), atol=1e-4)


def test_a_checkpoint_saved_by_transformers_gives_the_same_vectors(
    text_dir: Path, embedder: Embedder, tmp_path: Path
) -> None:
    native_encoder(text_dir).save_pretrained(tmp_path)
    shutil.copyfile(text_dir / "tokenizer.json", tmp_path / "tokenizer.json")

    vectors = load(tmp_path).text.embed_queries(["revenue growth"])

    assert "hidden_size" in json.loads((tmp_path / "config.json").read_text())
    expected = embedder.text.embed_queries(["revenue growth"])
    np.testing.assert_allclose(vectors, expected, atol=1e-5)


TENSORS = {
    "text": "encoder.layers.1.mlp.fc11.weight",
    "vision": "selector.attn.latent",
}


@pytest.mark.parametrize("half", ["text", "vision"])
def test_a_missing_tensor_is_refused_by_its_name(checkpoint: Path, half: str) -> None:
    edit_tensors(checkpoint / half, drop=TENSORS[half])

    with pytest.raises(EmbedError, match=f"lacks the tensor {TENSORS[half]}"):
        load(checkpoint)


@pytest.mark.parametrize("half", ["text", "vision"])
def test_an_unexpected_tensor_is_refused_by_its_name(checkpoint: Path, half: str) -> None:
    edit_tensors(checkpoint / half, add="pooler.dense.bias")

    with pytest.raises(EmbedError, match=r"holds the unknown tensor pooler\.dense\.bias"):
        load(checkpoint)


@pytest.mark.parametrize("half", ["text", "vision"])
def test_a_tensor_of_another_shape_is_refused_by_its_name(checkpoint: Path, half: str) -> None:
    edit_tensors(checkpoint / half, widen=TENSORS[half])

    with pytest.raises(EmbedError, match=f"The tensor {TENSORS[half]} in .* is "):
        load(checkpoint)


@pytest.mark.parametrize("half", ["text", "vision"])
def test_damaged_weights_are_refused(checkpoint: Path, half: str) -> None:
    (checkpoint / half / "model.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0{}")

    with pytest.raises(EmbedError, match=r"model\.safetensors in .* is damaged"):
        load(checkpoint)


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json"])
def test_a_half_without_one_of_its_files_is_refused(checkpoint: Path, name: str) -> None:
    (checkpoint / "text" / name).unlink()

    with pytest.raises(EmbedError, match=f"lacks {name}"):
        load(checkpoint)


@pytest.mark.parametrize(
    ("half", "changes"),
    [
        ("text", {"prenorm": True}),
        ("text", {"qkv_proj_bias": True}),
        ("text", {"mlp_fc1_bias": True}),
        ("text", {"mlp_fc2_bias": True}),
        ("text", {"rotary_emb_interleaved": True}),
        ("text", {"rotary_emb_fraction": 0.5}),
        ("text", {"activation_function": "gelu"}),
        ("vision", {"prenorm": False}),
        ("vision", {"activation_function": "gelu"}),
        ("vision", {"use_rotary_pos_emb": False}),
    ],
    ids=str,
)
def test_a_config_that_asks_for_another_model_is_refused(
    checkpoint: Path, half: str, changes: dict[str, object]
) -> None:
    edit_config(checkpoint / half, **changes)

    with pytest.raises(EmbedError, match=f"{next(iter(changes))}=.* Folio does not compute"):
        load(checkpoint)


@pytest.mark.parametrize("text", ["", "[1]", "{", "\xff"], ids=["empty", "list", "torn", "bytes"])
def test_a_damaged_config_is_refused(checkpoint: Path, text: str) -> None:
    (checkpoint / "text" / "config.json").write_text(text, encoding="latin-1")

    with pytest.raises(EmbedError, match="Fetch the file again"):
        load(checkpoint)


def test_a_config_without_its_sizes_is_refused(checkpoint: Path) -> None:
    edit_config(checkpoint / "text", n_layer=None)

    with pytest.raises(EmbedError, match=r"config\.json is not usable"):
        load(checkpoint)


def test_two_text_halves_in_one_folder_are_refused(checkpoint: Path, text_dir: Path) -> None:
    shutil.copytree(text_dir, checkpoint / "text-2", copy_function=shutil.copyfile)

    with pytest.raises(ConfigError, match=r"more than one nomic-text checkpoint \(text, text-2\)"):
        load(checkpoint)


def test_halves_of_different_size_are_refused(checkpoint: Path) -> None:
    edit_config(checkpoint / "vision", n_embd=64)

    with pytest.raises(ConfigError, match="do not belong together: 32 and 64 dimensions"):
        load(checkpoint)


def test_a_folder_without_nomic_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds no Nomic checkpoint"):
        load(tmp_path)
    with pytest.raises(ConfigError, match="There is no folder"):
        load(tmp_path / "absent")


def test_the_identity_changes_with_the_weights(checkpoint: Path) -> None:
    settings = EmbedSettings(model="nomic", model_dir=checkpoint)
    before = identity_of(settings)

    edit_tensors(checkpoint / "vision", add="anything")

    assert identity_of(settings) != before
    assert "\n" not in before


def test_the_hub_cache_is_read_at_the_pinned_revisions(checkpoint: Path, tmp_path: Path) -> None:
    hub = tmp_path / "hub"
    for half, pinned in (("text", NOMIC_TEXT), ("vision", NOMIC_VISION)):
        folder = hub / f"models--{pinned.id.replace('/', '--')}" / "snapshots" / pinned.revision
        shutil.copytree(checkpoint / half, folder)

    sources = [
        find_checkpoint(pinned, name="nomic", model_dir=None, hub_cache=hub).source
        for pinned in (NOMIC_TEXT, NOMIC_VISION)
    ]

    assert sources == [
        "nomic-ai/nomic-embed-text-v1.5@e9b6763023c6",
        "nomic-ai/nomic-embed-vision-v1.5@e3a725bce72d",
    ]


def test_weights_that_are_nowhere_are_refused_with_the_way_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(EmbedError) as caught:
        find_checkpoint(NOMIC_TEXT, name="nomic", model_dir=None, hub_cache=tmp_path)

    message = str(caught.value)
    assert "nomic-ai/nomic-embed-text-v1.5 are not on this machine" in message
    assert "folio models pull nomic" in message
    assert "FOLIO_EMBED__MODEL_DIR" in message
    assert "FOLIO_EMBED__MODEL=minilm" in message
