"""Jina CLIP v2 in ONNX Runtime, on a toy graph with the published names and shapes."""

from __future__ import annotations

import json
import shutil
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from rag.embed import jina_onnx
from rag.embed.catalogue import JINA, JINA_FP32, JINA_INT8, NON_COMMERCIAL
from rag.embed.checkpoints import folders_by_kind
from rag.embed.jina import find_jina
from rag.embed.jina_onnx import (
    PICTURE_OUTPUT,
    TEXT_OUTPUT,
    load_onnx,
    open_session,
    pad,
    run,
    session_options,
    shorten,
)
from rag.embed.jina_pixels import to_pixels
from rag.embed.load import (
    identity_of,
    is_cached,
    lane_identities,
    licence_notice,
    load_embedder,
    load_lanes,
)
from rag.embed.minilm import minilm_folder
from rag.embed.once import embed_for_cli
from rag.embed.turns import Turns
from rag.errors import ConfigError, EmbedError
from rag.settings import EmbedSettings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from onnxruntime import InferenceSession

    from rag.embed.jina_onnx import OnnxJina
    from rag.embed.lanes import Embedder

PREFIX = JINA.query_prefix


@pytest.fixture(scope="module")
def folder(shared: Path) -> Path:
    return shared / "fixtures" / "jina_clip_onnx_tiny"


@pytest.fixture(scope="module")
def golden(folder: Path) -> dict[str, Any]:
    known: dict[str, Any] = json.loads((folder / "golden.json").read_text())
    return known


@pytest.fixture(scope="module")
def embedder(folder: Path) -> Embedder:
    return load_embedder(settings(folder))


@pytest.fixture(scope="module")
def session(folder: Path) -> InferenceSession:
    return open_session(folder / "onnx" / "model.onnx", session_options(1))


@pytest.fixture
def checkpoint(folder: Path, tmp_path: Path) -> Path:
    """A folder of one's own, to be damaged."""
    copy = tmp_path / "jina"
    shutil.copytree(folder, copy, copy_function=shutil.copyfile)
    for path in (copy, copy / "onnx"):
        path.chmod(0o755)
    return copy


def settings(folder: Path | None, **changes: Any) -> EmbedSettings:
    accepted = {"accept_noncommercial_licence": True, **changes}
    return EmbedSettings(model="jina", model_dir=folder, **accepted)


def load_model(folder: Path, turns: Turns | None = None) -> OnnxJina:
    graph = folder / "onnx" / "model.onnx"
    return load_onnx(folder, graph, settings(folder), turns or Turns())


def open_images(folder: Path, golden: dict[str, Any]) -> list[Image.Image]:
    return [Image.open(folder / name) for name in golden["images"]]


def embed_golden_texts(embedder: Embedder, golden: dict[str, Any]) -> Any:
    """The known texts through the lanes: the first one as a question, without its prefix."""
    question, *documents = golden["texts"]
    return np.vstack(
        [
            embedder.text.embed_queries([question.removeprefix(PREFIX)]),
            embedder.text.embed_documents(documents),
        ]
    )


def test_texts_get_the_known_vectors_with_the_prefix_added_inside(
    embedder: Embedder, golden: dict[str, Any]
) -> None:
    vectors = embed_golden_texts(embedder, golden)

    np.testing.assert_allclose(vectors, golden["text_embeddings"], atol=1e-5)


def test_a_question_without_the_prefix_gets_another_vector(
    embedder: Embedder, golden: dict[str, Any]
) -> None:
    (plain,) = embedder.text.embed_documents([golden["texts"][0].removeprefix(PREFIX)])

    assert np.abs(plain - golden["text_embeddings"][0]).max() > 1e-2


def test_pictures_get_the_known_vectors(
    embedder: Embedder, folder: Path, golden: dict[str, Any]
) -> None:
    assert embedder.pictures is not None
    vectors = embedder.pictures.embed_images(open_images(folder, golden))

    np.testing.assert_allclose(vectors, golden["image_embeddings"], atol=1e-5)


def test_a_picture_in_another_order_of_colours_gets_another_vector(
    embedder: Embedder, folder: Path, golden: dict[str, Any]
) -> None:
    assert embedder.pictures is not None
    red, green, blue = Image.open(folder / golden["images"][1]).convert("RGB").split()
    (vector,) = embedder.pictures.embed_images([Image.merge("RGB", (blue, green, red))])

    assert np.abs(vector - golden["image_embeddings"][1]).max() > 1e-2


def test_pixels_have_the_known_means(folder: Path, golden: dict[str, Any]) -> None:
    means = [float(to_pixels(image).mean()) for image in open_images(folder, golden)]

    np.testing.assert_allclose(means, golden["pixel_values_mean"], atol=1e-4)


def test_a_cut_gets_the_known_vectors_on_both_lanes(folder: Path, golden: dict[str, Any]) -> None:
    cut = load_embedder(settings(folder, dims=32))
    assert cut.pictures is not None

    texts = embed_golden_texts(cut, golden)
    images = cut.pictures.embed_images(open_images(folder, golden))

    assert cut.text.dim == cut.pictures.dim == 32
    np.testing.assert_allclose(texts, golden["text_embeddings_32"], atol=1e-5)
    np.testing.assert_allclose(images, golden["image_embeddings_32"], atol=1e-5)


def test_a_cut_that_is_not_made_unit_length_again_gives_other_vectors(
    golden: dict[str, Any],
) -> None:
    whole = np.float32(golden["text_embeddings"])

    np.testing.assert_allclose(shorten(whole, 32), golden["text_embeddings_32"], atol=1e-5)
    assert np.abs(whole[:, :32] - golden["text_embeddings_32"]).max() > 1e-2


def test_token_ids_are_the_known_ones(folder: Path, golden: dict[str, Any]) -> None:
    model = load_model(folder)
    question, *documents = golden["texts"]

    rows = [
        *model._encode([question.removeprefix(PREFIX)], question=True),
        *model._encode(documents, question=False),
    ]

    assert [row.ids for row in rows] == golden["input_ids"]
    assert model.count_tokens(documents, question=False) == [
        len(ids) for ids in golden["input_ids"][1:]
    ]


def test_padding_changes_nothing_and_another_pad_id_would(
    session: InferenceSession, golden: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = golden["input_ids"]
    padded = run(session, TEXT_OUTPUT, ids=pad(rows))
    np.testing.assert_allclose(padded, golden["text_embeddings"], atol=1e-5)

    monkeypatch.setitem(jina_onnx.SPECIAL_IDS, "<pad>", 0)
    wrong = run(session, TEXT_OUTPUT, ids=pad(rows))
    assert np.abs(wrong[-1] - golden["text_embeddings"][-1]).max() > 1e-2


@pytest.mark.parametrize("batch_size", [1, 3, 8])
def test_batches_change_nothing_and_keep_the_order(
    folder: Path, golden: dict[str, Any], batch_size: int
) -> None:
    text = load_embedder(settings(folder, batch_size=batch_size)).text
    texts = [golden["texts"][place] for place in (2, 1, 3, 2)]

    vectors = text.embed_documents(texts)

    wanted = [golden["text_embeddings"][place] for place in (2, 1, 3, 2)]
    np.testing.assert_allclose(vectors, wanted, atol=1e-5)


def test_texts_run_without_the_picture_tower(folder: Path, tmp_path: Path) -> None:
    """ONNX Runtime's own profile: no step that a picture reaches has a number to work on."""
    text = profile(folder, tmp_path / "text", TEXT_OUTPUT)
    picture = profile(folder, tmp_path / "picture", PICTURE_OUTPUT)

    tower = {step for step in picture if picture[step] != text[step]}
    assert max(picture[step] for step in tower) > 3 * 512 * 512  # all pixels pass through it
    assert len(tower) == 5
    assert {text[step] for step in tower} == {0}


def profile(folder: Path, prefix: Path, output: str) -> dict[str, int]:
    """Bytes that each step of the graph takes in and puts out in one run."""
    options = session_options(1)
    options.enable_profiling = True
    options.profile_file_prefix = str(prefix)
    session = open_session(folder / "onnx" / "model.onnx", options)
    pixels = np.zeros((1, 3, 512, 512), dtype=np.float32) if output == PICTURE_OUTPUT else None
    run(session, output, ids=[[0, 261, 2]], pixels=pixels)
    with open(session.end_profiling()) as file:  # noqa: PTH123 - a name, not a Path
        events = json.load(file)
    steps = [event for event in events if event["name"].endswith("_kernel_time")]
    keys = ("activation_size", "output_size")
    return {step["name"]: sum(int(step["args"][key]) for key in keys) for step in steps}


class CountedTurns(Turns):
    """Notes whether each turn was a question's."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[bool] = []

    @contextmanager
    def take(self, *, question: bool) -> Iterator[None]:
        self.taken.append(question)
        with super().take(question=question):
            yield


def test_a_question_waits_for_one_chunk_or_picture_at_most(folder: Path) -> None:
    turns = CountedTurns()
    model = load_model(folder, turns)

    model.embed_texts(["chart " * 40] * 3, question=False)
    model.embed_pictures([Image.new("RGB", (9, 9))] * 2)
    model.embed_texts(["chart"], question=True)

    assert turns.taken == [False] * 3 + [False] * 2 + [True]


def test_a_text_is_cut_at_512_tokens_and_counted_uncut(embedder: Embedder) -> None:
    text, longer = "a" * 510, "a" * 700

    vectors = embedder.text.embed_documents([text, longer])

    np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-6)
    assert embedder.text.text_cap == 512
    assert embedder.text.count_tokens([text, longer]) == [512, 702]


def test_nothing_gives_no_rows_and_odd_texts_give_unit_rows(embedder: Embedder) -> None:
    assert embedder.pictures is not None
    assert embedder.text.embed_documents([]).shape == (0, 64)
    assert embedder.pictures.embed_images([]).shape == (0, 64)

    vectors = embedder.text.embed_documents(["", " ", "\ud800 half a letter", "漢字"])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_an_ordinary_picture_is_resized_whole_and_a_ruler_only_in_its_middle() -> None:
    noise = np.random.default_rng(3).integers(0, 255, (60, 200, 3), dtype=np.uint8)
    chart = Image.fromarray(noise)
    whole = np.asarray(
        chart.resize((512 * 200 // 60, 512), Image.Resampling.BICUBIC).crop((597, 0, 1109, 512))
    )

    assert np.abs(to_pixels(chart) - to_pixels(Image.fromarray(whole))).max() == 0
    assert to_pixels(Image.new("RGB", (30_000, 3))).shape == (3, 512, 512)
    assert to_pixels(Image.new("RGB", (1, 30_000))).shape == (3, 512, 512)


def test_both_lanes_share_one_space_and_one_question(embedder: Embedder, folder: Path) -> None:
    assert embedder.joint
    assert embedder.pictures is not None
    asked = ["a bar chart"]
    np.testing.assert_array_equal(
        embedder.pictures.embed_queries(asked), embedder.text.embed_queries(asked)
    )
    assert embedder.pictures.count_tokens(asked) > embedder.text.count_tokens(asked)
    assert embedder.pictures.text_cap == embedder.text.text_cap
    assert embedder.identity == identity_of(settings(folder))


def test_pictures_alone_come_from_the_same_file(folder: Path, golden: dict[str, Any]) -> None:
    lanes = load_lanes(JINA, settings(folder), {"image"})

    assert lanes.text is None
    assert lanes.pictures is not None
    vectors = lanes.pictures.embed_images(open_images(folder, golden))
    np.testing.assert_allclose(vectors, golden["image_embeddings"], atol=1e-5)


def test_the_command_embeds_all_three_forms(folder: Path, golden: dict[str, Any]) -> None:
    question = golden["texts"][0].removeprefix(PREFIX)

    result = embed_for_cli(
        settings(folder, dims=32),
        queries=[question],
        texts=[question],
        images=[folder / "disc.png"],
    )

    asked, told, shown = (row.vector for row in result.vectors)
    np.testing.assert_allclose(asked, golden["text_embeddings_32"][0], atol=1e-5)
    np.testing.assert_allclose(told, golden["text_embeddings_32"][1], atol=1e-5)
    np.testing.assert_allclose(shown, golden["image_embeddings_32"][1], atol=1e-5)


def test_the_licence_must_be_accepted_and_its_notice_is_known(folder: Path) -> None:
    refused = settings(folder, accept_noncommercial_licence=False)

    for refuse in (load_embedder, identity_of):
        with pytest.raises(ConfigError, match=r"CC BY-NC 4\.0.*NONCOMMERCIAL_LICENCE=1"):
            refuse(refused)
    assert licence_notice(settings(folder)) == NON_COMMERCIAL
    paired = settings(folder).model_copy(update={"model": "minilm+jina"})
    assert licence_notice(paired) == NON_COMMERCIAL
    assert licence_notice(EmbedSettings()) == ""
    assert is_cached(JINA, refused)


def test_identities_name_precision_length_prefix_and_pictures(checkpoint: Path) -> None:
    shutil.copyfile(checkpoint / "onnx" / "model.onnx", checkpoint / "onnx" / "model_int8.onnx")
    lines = lane_identities(JINA, settings(checkpoint), JINA.lanes)

    assert lines["text"].startswith("jina|jina@sha256:")
    assert f"|onnx-fp32|dfull|pool=mean|cap=512|q={PREFIX.strip()}|doc=|" in lines["text"]
    assert lines["image"].endswith("|onnx-fp32|dfull|img=short512-bicubic-centre-on-white|v1")
    others = [settings(checkpoint, dims=32), settings(checkpoint, precision="int8")]
    assert len({identity_of(other) for other in others} | {identity_of(settings(checkpoint))}) == 3


def test_threads_and_batches_do_not_change_the_identity(folder: Path) -> None:
    assert identity_of(settings(folder, threads=2, batch_size=1)) == identity_of(settings(folder))


def test_the_files_of_both_precisions_are_pinned() -> None:
    assert len(JINA.revision) == 40
    assert JINA_INT8.revision == JINA_FP32.revision
    assert JINA_INT8.files[0] == "onnx/model_int8.onnx"
    assert JINA_FP32.files[:2] == ("onnx/model.onnx", "onnx/model.onnx_data")


def test_int8_without_its_file_is_one_sentence(folder: Path) -> None:
    with pytest.raises(EmbedError, match=r"lacks onnx/model_int8\.onnx"):
        identity_of(settings(folder, precision="int8"))


def test_int8_runs_its_own_file(checkpoint: Path, golden: dict[str, Any]) -> None:
    (checkpoint / "onnx" / "model.onnx").rename(checkpoint / "onnx" / "model_int8.onnx")

    vectors = embed_golden_texts(load_embedder(settings(checkpoint, precision="int8")), golden)

    np.testing.assert_allclose(vectors, golden["text_embeddings"], atol=1e-5)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"precision": "bf16"}, "fp32 or int8, not bf16"),
        ({"dims": 65}, "1 to 64 numbers long, not 65"),
    ],
)
def test_what_the_file_cannot_give_is_refused(
    folder: Path, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        load_embedder(settings(folder, **changes))


@pytest.mark.parametrize("dims", [32, 1025])
def test_published_weights_are_cut_to_no_other_length_than_trained(dims: int) -> None:
    with pytest.raises(ConfigError, match=rf"64 to 1024 numbers long, not {dims}"):
        find_jina(settings(None, dims=dims))


@pytest.mark.parametrize("keep", [0, 60_000], ids=["empty", "half"])
def test_a_damaged_graph_is_one_sentence(
    checkpoint: Path, keep: int, capfd: pytest.CaptureFixture[str]
) -> None:
    graph = checkpoint / "onnx" / "model.onnx"
    graph.write_bytes(graph.read_bytes()[:keep])

    with pytest.raises(
        EmbedError, match=r"model\.onnx cannot be loaded .*Fetch it again"
    ) as caught:
        load_embedder(settings(checkpoint))

    assert "\n" not in str(caught.value)
    assert capfd.readouterr().err == ""


def test_weights_missing_beside_the_graph_are_one_sentence(checkpoint: Path) -> None:
    (checkpoint / "onnx" / "model.onnx").write_bytes(graph_with_outside_weights())

    with pytest.raises(EmbedError, match="with the weights file beside it"):
        load_embedder(settings(checkpoint))


def test_another_models_graph_is_one_sentence(checkpoint: Path) -> None:
    (checkpoint / "onnx" / "model.onnx_data").write_bytes(bytes(4))
    (checkpoint / "onnx" / "model.onnx").write_bytes(graph_with_outside_weights())

    with pytest.raises(EmbedError, match=r"is not the ONNX file of Jina CLIP v2"):
        load_embedder(settings(checkpoint))


def test_another_models_tokenizer_is_one_sentence(checkpoint: Path) -> None:
    shutil.copyfile(minilm_folder() / "tokenizer.json", checkpoint / "tokenizer.json")

    with pytest.raises(EmbedError, match=r"tokenizer\.json in .* belongs to another model"):
        load_embedder(settings(checkpoint))


def test_a_tokenizer_with_more_tokens_than_the_graph_is_one_sentence(
    checkpoint: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = checkpoint / "tokenizer.json"
    stated = json.loads(path.read_text())
    stated["model"]["vocab"] |= {f"word{place}": place for place in range(294, 400)}
    path.write_text(json.dumps(stated))

    with pytest.raises(EmbedError, match=r"tokenizer\.json in .* belongs to another model"):
        load_embedder(settings(checkpoint))

    assert capfd.readouterr().err == ""


def test_an_export_that_wants_a_picture_with_every_text_is_one_sentence(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = jina_onnx.run

    def demands_pixels(session: InferenceSession, output: str, **inputs: Any) -> Any:
        if inputs.get("pixels") is None:
            raise EmbedError("Non-zero status code returned")
        return given(session, output, **inputs)

    monkeypatch.setattr(jina_onnx, "run", demands_pixels)
    with pytest.raises(EmbedError, match="cannot embed a text without a picture"):
        load_embedder(settings(folder))


def test_without_onnx_runtime_one_sentence_says_how_to_get_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)

    with pytest.raises(EmbedError, match=r"pip install 'folio-rag\[jina\]'"):
        load_embedder(settings(folder))


def test_weights_that_are_not_there_say_how_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))

    assert not is_cached(JINA, settings(None))
    with pytest.raises(EmbedError, match="folio models pull jina"):
        load_embedder(settings(None))


def test_an_onnx_export_beside_another_models_weights_does_not_make_it_jina(
    shared: Path, tmp_path: Path
) -> None:
    shutil.copytree(
        shared / "fixtures" / "nomic_text_tiny", tmp_path / "text", copy_function=shutil.copyfile
    )
    (tmp_path / "text").chmod(0o755)
    (tmp_path / "text" / "onnx").mkdir()
    (tmp_path / "text" / "onnx" / "model.onnx").write_bytes(b"")

    assert set(folders_by_kind(tmp_path)) == {"nomic-text"}
    with pytest.raises(ConfigError, match="holds no checkpoint for jina"):
        identity_of(settings(tmp_path))


def graph_with_outside_weights() -> bytes:
    """The smallest graph, y = weight, with its one weight in model.onnx_data (onnx.proto3)."""
    location = field(1, b"location") + field(2, b"model.onnx_data")
    weight = number(1, 1) + number(2, 1) + field(8, b"w") + field(13, location) + number(14, 1)
    node = field(1, b"w") + field(2, b"y") + field(4, b"Identity")
    one_float = field(2, field(1, number(1, 1) + field(2, field(1, number(1, 1)))))
    graph = (
        field(1, node) + field(2, b"g") + field(5, weight) + field(12, field(1, b"y") + one_float)
    )
    return number(1, 8) + field(7, graph) + field(8, number(2, 17))


def field(place: int, content: bytes) -> bytes:
    """A length-delimited protobuf field."""
    return varint(place << 3 | 2) + varint(len(content)) + content


def number(place: int, value: int) -> bytes:
    """A protobuf field with a whole number."""
    return varint(place << 3) + varint(value)


def varint(value: int) -> bytes:
    low = value & 0x7F
    return bytes([low]) if value < 128 else bytes([low | 0x80]) + varint(value >> 7)
