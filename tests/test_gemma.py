"""EmbeddingGemma 2 on a tiny checkpoint with random weights, held to vectors of transformers."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from rag.embed.catalogue import GEMMA
from rag.embed.gemma import SOFT_TOKENS
from rag.embed.lanes import CaptionedPictures
from rag.embed.load import identity_of, load_embedder
from rag.embed.once import embed_for_cli
from rag.embed.turns import Turns
from rag.errors import ConfigError
from rag.settings import EmbedSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from rag.embed.gemma_tower import GemmaPictures, GemmaTower
    from rag.embed.lanes import Array, Embedder, PictureLane

FORMS = {
    "image_embeddings": "alone",
    "image_embeddings_with_document_prefix": "in document form",
    "image_plus_caption_embeddings": "with a caption",
}


@pytest.fixture(scope="module")
def folder(shared: Path) -> Path:
    return shared / "fixtures" / "embeddinggemma2_tiny"


@pytest.fixture(scope="module")
def golden(folder: Path) -> Mapping[str, Any]:
    content: dict[str, Any] = json.loads((folder / "golden.json").read_text(encoding="utf-8"))
    return content


@pytest.fixture(scope="module")
def images(folder: Path, golden: Mapping[str, Any]) -> list[Image.Image]:
    loaded = []
    for name in golden["images"]:
        with Image.open(folder / name) as image:
            loaded.append(image.convert("RGB"))
    return loaded


@pytest.fixture(scope="module")
def embedder(folder: Path) -> Embedder:
    return load_embedder(EmbedSettings(model="gemma", model_dir=folder))


def load(folder: Path, **settings: Any) -> Embedder:
    return load_embedder(EmbedSettings(model="gemma", model_dir=folder, **settings))


def tower_of(lane: object) -> GemmaTower:
    tower: GemmaTower = lane._tower  # type: ignore[attr-defined]
    return tower


def parameter_count(lane: object) -> int:
    return sum(each.numel() for each in tower_of(lane)._model.parameters())


def picture_lane(embedder: Embedder) -> GemmaPictures:
    lane: Any = embedder.pictures
    assert isinstance(lane, CaptionedPictures)
    return lane  # type: ignore[return-value]


def embed_form(
    name: str, lane: GemmaPictures, images: list[Image.Image], captions: list[str]
) -> Array:
    if name == "image_embeddings":
        return lane.embed_images(images)
    with_caption = name == "image_plus_caption_embeddings"
    return lane.embed_captioned(images, captions if with_caption else [""] * len(images))


def test_questions_and_passages_are_those_of_transformers(
    embedder: Embedder, golden: Mapping[str, Any]
) -> None:
    questions = embedder.text.embed_queries(golden["queries"])
    # The last text was cut at 256 tokens when the numbers were made; it has its own test.
    passages = embedder.text.embed_documents(golden["texts"][:4])

    np.testing.assert_allclose(questions, golden["query_embeddings"], atol=1e-5)
    np.testing.assert_allclose(passages, golden["document_embeddings"][:4], atol=1e-5)


def test_token_ids_are_those_of_the_published_tokenizer_class(
    embedder: Embedder, golden: Mapping[str, Any]
) -> None:
    tower = tower_of(embedder.text)

    rows = [
        tower._cut([tower._bos, *tower._encode(GEMMA.query_prefix + text)])
        for text in golden["queries"]
    ]

    assert rows == golden["query_input_ids"]


def test_a_text_over_the_cap_loses_its_end_and_keeps_the_last_token(
    folder: Path, golden: Mapping[str, Any]
) -> None:
    lane: Any = load(folder).text
    tower_of(lane).text_cap = golden["max_length"]

    vectors = lane.embed_documents(golden["texts"])

    assert lane.text_cap < lane.count_tokens(golden["texts"])[4]
    np.testing.assert_allclose(vectors, golden["document_embeddings"], atol=1e-5)


@pytest.mark.parametrize("form", FORMS, ids=FORMS.values())
def test_each_form_of_a_picture_is_that_of_transformers(
    embedder: Embedder, golden: Mapping[str, Any], images: list[Image.Image], form: str
) -> None:
    vectors = embed_form(form, picture_lane(embedder), images, golden["captions"])

    np.testing.assert_allclose(vectors, golden[form], atol=1e-5)


def test_the_caption_moves_the_vector(embedder: Embedder, images: list[Image.Image]) -> None:
    lane = picture_lane(embedder)

    alone, one, other = (
        lane.embed_captioned(images[:1], [caption])
        for caption in ("", "Revenue by quarter", "A map of the harbour")
    )

    assert np.abs(alone - one).max() > 1e-3
    assert np.abs(one - other).max() > 1e-3


def test_the_picture_counts_beside_its_caption(
    embedder: Embedder, images: list[Image.Image]
) -> None:
    bars, disc = picture_lane(embedder).embed_captioned(images[:2], ["the same"] * 2)

    assert np.abs(bars - disc).max() > 1e-3


def test_a_batch_changes_no_vector(
    embedder: Embedder, golden: Mapping[str, Any], images: list[Image.Image]
) -> None:
    lane, texts, captions = picture_lane(embedder), golden["texts"], golden["captions"]

    together = (embedder.text.embed_documents(texts), lane.embed_captioned(images, captions))
    one_by_one = (
        np.vstack([embedder.text.embed_documents([text]) for text in texts]),
        np.vstack(
            [
                lane.embed_captioned([image], [caption])
                for image, caption in zip(images, captions, strict=True)
            ]
        ),
    )

    for batch, single in zip(together, one_by_one, strict=True):
        np.testing.assert_allclose(batch, single, atol=1e-6)


def test_the_text_half_alone_is_smaller_and_gives_the_same_vectors(
    folder: Path, embedder: Embedder, golden: Mapping[str, Any]
) -> None:
    half = load_embedder(EmbedSettings(model="gemma-text", model_dir=folder))

    assert half.pictures is None
    assert not half.joint
    assert half.text_identity == embedder.text_identity
    assert parameter_count(half.text) < parameter_count(embedder.text) / 2
    np.testing.assert_allclose(
        half.text.embed_queries(golden["queries"]), golden["query_embeddings"], atol=1e-5
    )


def test_both_lanes_share_one_model_and_one_space(
    embedder: Embedder, golden: Mapping[str, Any], images: list[Image.Image]
) -> None:
    lane = picture_lane(embedder)

    cosines = lane.embed_queries(golden["queries"]) @ lane.embed_images(images).T

    assert embedder.joint
    assert tower_of(lane) is tower_of(embedder.text)
    assert lane.text_cap == embedder.text.text_cap == GEMMA.text_cap
    np.testing.assert_allclose(cosines, golden["cosine_query_image"], atol=1e-4)


def test_beside_another_text_model_it_answers_its_own_questions(
    folder: Path, embedder: Embedder, golden: Mapping[str, Any]
) -> None:
    pair = load_embedder(EmbedSettings(model="minilm+gemma", model_dir=folder))

    assert pair.text.dim == 384
    assert not pair.joint
    assert pair.picture_identity == embedder.picture_identity
    np.testing.assert_allclose(
        picture_lane(pair).embed_queries(golden["queries"]), golden["query_embeddings"], atol=1e-5
    )


def test_tokens_are_counted_in_the_form_of_the_lane(
    embedder: Embedder, golden: Mapping[str, Any]
) -> None:
    counted = picture_lane(embedder).count_tokens(golden["queries"])

    assert counted == [len(row) for row in golden["query_input_ids"]]
    assert counted != embedder.text.count_tokens(golden["queries"])


@pytest.mark.parametrize("dims", [16, 24, 48])
def test_a_shorter_vector_is_the_beginning_at_unit_length(
    folder: Path, golden: Mapping[str, Any], images: list[Image.Image], dims: int
) -> None:
    short = load(folder, dims=dims)

    for vectors, known in (
        (short.text.embed_queries(golden["queries"]), golden["query_embeddings"]),
        (picture_lane(short).embed_images(images), golden["image_embeddings"]),
    ):
        cut = np.array(known)[:, :dims]
        cut /= np.linalg.norm(cut, axis=1, keepdims=True)
        np.testing.assert_allclose(vectors, cut, atol=1e-5)


def without_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    bare = replace(GEMMA, query_prefix="", document_prefix="")
    monkeypatch.setattr("rag.embed.gemma_tower.GEMMA", bare)


def with_first_token_only(monkeypatch: pytest.MonkeyPatch) -> None:
    replace_pool(monkeypatch, lambda states, mask: states[:, :1].mean(dim=1))


def with_padding_in_the_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    replace_pool(monkeypatch, lambda states, mask: states.mean(dim=1))


def replace_pool(monkeypatch: pytest.MonkeyPatch, mean: Callable[[Any, Any], Any]) -> None:
    from torch.nn import functional

    def pool(states: Any, mask: Any, **_: object) -> Any:
        return functional.normalize(mean(states, mask), dim=-1)

    monkeypatch.setattr("rag.embed.gemma_tower.pool", pool)


@pytest.mark.parametrize(
    "break_it", [without_prefix, with_first_token_only, with_padding_in_the_mean]
)
def test_a_fault_in_the_text_path_leaves_the_known_vectors(
    embedder: Embedder,
    golden: Mapping[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    break_it: Callable[[pytest.MonkeyPatch], None],
) -> None:
    break_it(monkeypatch)

    vectors = embedder.text.embed_documents(golden["texts"][:4])

    assert np.abs(vectors - np.array(golden["document_embeddings"][:4])).max() > 1e-3


def test_swapped_colours_leave_the_known_vectors(
    embedder: Embedder, golden: Mapping[str, Any], images: list[Image.Image]
) -> None:
    swapped = [Image.merge("RGB", image.split()[::-1]) for image in images]

    vectors = picture_lane(embedder).embed_images(swapped)

    assert np.abs(vectors - np.array(golden["image_embeddings"])).max() > 1e-3


def test_a_wrong_number_of_picture_tokens_cannot_pass(
    embedder: Embedder, images: list[Image.Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    tower = tower_of(embedder.text)
    pixels, positions, count = tower._to_patches(images[0])
    monkeypatch.setattr(tower, "_to_patches", lambda image: (pixels, positions, count - 1))

    with pytest.raises(ValueError, match="do not match"):
        picture_lane(embedder).embed_images(images[:1])


def test_a_caption_that_spells_a_picture_token_stands_for_no_picture(
    embedder: Embedder, images: list[Image.Image]
) -> None:
    lane = picture_lane(embedder)

    hostile = lane.embed_captioned(images[:1], ["<|image|><image|><|audio|>"])

    np.testing.assert_allclose(hostile, lane.embed_captioned(images[:1], [""]), atol=1e-6)
    assert np.isfinite(embedder.text.embed_documents(["see <|image|> \ud83d"])).all()


@pytest.mark.parametrize(
    "image",
    [
        Image.new("RGB", (1, 1), "red"),
        Image.new("RGB", (20_000, 3), "red"),
        Image.new("L", (3, 20_000), 40),
        Image.new("CMYK", (40, 30), (10, 200, 0, 20)),
        Image.new("RGBA", (30, 40), (255, 0, 0, 90)),
        Image.new("P", (30, 40), 3),
        Image.new("I;16", (30, 40), 3000),
    ],
    ids=["1x1", "20,000 wide", "20,000 high", "CMYK", "transparent", "palette", "16 bits"],
)
def test_pictures_of_every_shape_and_mode_embed(embedder: Embedder, image: Image.Image) -> None:
    vectors = picture_lane(embedder).embed_images([image])

    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)


def test_transparency_lies_on_white(embedder: Embedder) -> None:
    clear, white = Image.new("RGBA", (96, 64), (0, 0, 0, 0)), Image.new("RGB", (96, 64), "white")

    on_paper, paper = picture_lane(embedder).embed_images([clear, white])

    np.testing.assert_allclose(on_paper, paper, atol=1e-6)


def test_a_picture_takes_no_more_than_the_budget_and_keeps_its_shape(embedder: Embedder) -> None:
    tower = tower_of(embedder.text)

    for size in ((800, 200), (200, 800), (640, 640)):
        pixels, positions, count = tower._to_patches(Image.new("RGB", size))
        width, height = (positions[0].max(dim=0).values + 1).tolist()

        assert count <= SOFT_TOKENS
        assert pixels.shape[1] == width * height == count * 9
        assert width / height == pytest.approx(size[0] / size[1], rel=0.3)


def test_vectors_for_the_command_line_take_captions(
    folder: Path, golden: Mapping[str, Any]
) -> None:
    paths = [folder / name for name in golden["images"]]
    settings = EmbedSettings(model="gemma", model_dir=folder)

    captioned = embed_for_cli(settings, images=paths, captions=golden["captions"])
    mixed = embed_for_cli(settings, queries=golden["queries"], images=paths)

    assert captioned.identity == mixed.identity == identity_of(settings)
    np.testing.assert_allclose(
        [row.vector for row in captioned.vectors],
        golden["image_plus_caption_embeddings"],
        atol=1e-5,
    )
    np.testing.assert_allclose(
        [row.vector for row in mixed.vectors],
        [*golden["query_embeddings"], *golden["image_embeddings"]],
        atol=1e-5,
    )
    with pytest.raises(ConfigError, match="one --caption for each --image"):
        embed_for_cli(settings, images=paths, captions=["one"])


def test_a_picture_goes_to_the_model_alone_and_a_question_before_it(
    embedder: Embedder, images: list[Image.Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = CountingTurns()
    monkeypatch.setattr(tower_of(embedder.text), "_turns", turns)
    lane = picture_lane(embedder)

    lane.embed_images(images)
    lane.embed_queries(["a", "b"])

    assert turns.taken == [False] * len(images) + [True]


class CountingTurns(Turns):
    """Turns that remember who took one: True for a question."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[bool] = []

    @contextmanager
    def take(self, *, question: bool) -> Iterator[None]:
        with super().take(question=question):
            self.taken.append(question)
            yield


def test_several_threads_get_the_vectors_of_one(
    embedder: Embedder, golden: Mapping[str, Any], images: list[Image.Image]
) -> None:
    lane = picture_lane(embedder)
    found: dict[int, tuple[Array, Array]] = {}

    def use(number: int) -> None:
        found[number] = (lane.embed_queries(golden["queries"]), lane.embed_images(images))

    threads = [threading.Thread(target=use, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    for questions, pictures in (found[number] for number in range(3)):
        np.testing.assert_allclose(questions, golden["query_embeddings"], atol=1e-5)
        np.testing.assert_allclose(pictures, golden["image_embeddings"], atol=1e-5)


def test_nothing_gives_no_rows(embedder: Embedder) -> None:
    lane: PictureLane = picture_lane(embedder)

    assert embedder.text.embed_documents([]).shape == (0, 48)
    assert lane.embed_images([]).shape == (0, 48)
