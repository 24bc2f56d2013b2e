"""The optional cross-encoder: numbers of the published class, and files that are refused."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np
import pytest
import torch

from rag.arrange import reorder
from rag.embed.minilm import minilm_folder
from rag.embed.rerank import find_reranker, load_reranker
from rag.embed.turns import Turns
from rag.errors import ConfigError, EmbedError, RagError
from rag.merge import Candidate, Ranked
from rag.settings import EmbedSettings, RetrieveSettings, Settings, StoreSettings
from tests.builders import make_html
from tests.checkpoint_folders import edit_json, edit_tensors
from ui.services import build

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

QUESTION = "How much did Row A give in March?"
TEXTS = [
    "Row A gave 410 megawatt hours in March.",
    "The ferry is late.",
    "",
    "tide " * 700,  # cut at the model's cap
    "Row A gave 380 megawatt hours in April, more than in any month of the winter before.",
]
WORDS = ("ferry", "pump", "orchard", "winter", "bridge", "harbour")
SETTINGS = EmbedSettings(model="minilm", device="cpu")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cross-encoder with random weights, as published: two layers of 32."""
    from transformers import BertConfig, BertForSequenceClassification

    made = tmp_path_factory.mktemp("reranker")
    torch.manual_seed(3)
    config = BertConfig(
        vocab_size=30_522,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        num_labels=1,
        initializer_range=0.5,
        architectures=["BertForSequenceClassification"],
    )
    BertForSequenceClassification(config).save_pretrained(made)
    shutil.copyfile(minilm_folder() / "tokenizer.json", made / "tokenizer.json")
    return made


@pytest.fixture
def copied(folder: Path, tmp_path: Path) -> Path:
    return shutil.copytree(folder, tmp_path / "copy")


def published_scores(folder: Path) -> np.ndarray:
    from transformers import BertForSequenceClassification, BertTokenizerFast

    model = BertForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = BertTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"))
    pairs = tokenizer(
        [QUESTION] * len(TEXTS),
        TEXTS,
        padding=True,
        truncation="longest_first",
        max_length=512,
        return_tensors="pt",
    )
    with torch.inference_mode():
        return model(**pairs).logits[:, 0].numpy()


def test_scores_are_those_of_the_published_class(folder: Path) -> None:
    ours = load_reranker(str(folder), SETTINGS, Turns()).score(QUESTION, TEXTS)
    assert ours.dtype == np.float32
    assert ours == pytest.approx(published_scores(folder), abs=1e-5)
    assert len(set(ours.round(4).tolist())) == len(TEXTS)


def test_question_and_passage_are_told_apart(folder: Path) -> None:
    model = load_reranker(str(folder), SETTINGS, Turns())
    one, other = model.score("a tide", ["a pump"])[0], model.score("a pump", ["a tide"])[0]
    assert abs(one - other) > 1e-4


def test_a_text_scores_the_same_alone_and_among_others(folder: Path) -> None:
    model = load_reranker(str(folder), SETTINGS, Turns())
    together = model.score(QUESTION, TEXTS)
    alone = [model.score(QUESTION, [text])[0] for text in TEXTS]
    assert together == pytest.approx(alone, abs=1e-5)


@pytest.mark.parametrize(
    "question", ["", "\x00\ud83d", "tide " * 5_000], ids=["empty", "broken", "long"]
)
def test_odd_questions_are_scored(folder: Path, question: str) -> None:
    scores = load_reranker(str(folder), SETTINGS, Turns()).score(question, ["a text", "\udfff"])
    assert np.isfinite(scores).all()


def test_no_texts_have_no_scores(folder: Path) -> None:
    assert load_reranker(str(folder), SETTINGS, Turns()).score(QUESTION, []).shape == (0,)


def test_the_identity_changes_with_the_weights(folder: Path, copied: Path) -> None:
    before = load_reranker(str(copied), SETTINGS, Turns()).identity
    edit_tensors(copied, add={"classifier.bias": np.ones(1, dtype=np.float32)})
    after = load_reranker(str(copied), SETTINGS, Turns()).identity
    assert before.startswith("copy@sha256:")
    assert after.split("@")[0] == "copy"
    assert after != before


def cut_weights(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:2000])


def use_tokenizer_without_pairs(folder: Path) -> None:
    content = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    content["post_processor"] = None
    (folder / "tokenizer.json").write_text(json.dumps(content), encoding="utf-8")


DAMAGES: dict[str, tuple[Callable[[Path], object], type[RagError], str]] = {
    "weights missing": (
        lambda f: (f / "model.safetensors").unlink(),
        ConfigError,
        "lacks model.safetensors",
    ),
    "weights cut": (cut_weights, EmbedError, "is damaged"),
    "a tensor missing": (
        lambda f: edit_tensors(f, drop="bert.pooler.dense.weight"),
        EmbedError,
        "lacks the tensor bert.pooler.dense.weight",
    ),
    "a tensor too many": (
        lambda f: edit_tensors(f, add={"extra": np.ones(1, dtype=np.float32)}),
        EmbedError,
        "unknown tensor extra",
    ),
    "another shape": (
        lambda f: edit_json(f / "config.json", intermediate_size=48),
        EmbedError,
        "config.json makes it",
    ),
    "an embedder": (
        lambda f: edit_json(f / "config.json", architectures=["BertModel"]),
        ConfigError,
        "no cross-encoder that Folio knows",
    ),
    "three outputs": (
        lambda f: edit_json(f / "config.json", id2label={"1": "LABEL_1", "2": "LABEL_2"}),
        ConfigError,
        "with one output",
    ),
    "another activation": (
        lambda f: edit_json(f / "config.json", hidden_act="relu"),
        ConfigError,
        "uses relu",
    ),
    "a size missing": (
        lambda f: edit_json(f / "config.json", drop=("vocab_size",)),
        EmbedError,
        "vocab_size",
    ),
    "no configuration": (
        lambda f: (f / "config.json").write_text("[]", encoding="utf-8"),
        EmbedError,
        "cannot be read",
    ),
    "a tokenizer without pairs": (use_tokenizer_without_pairs, EmbedError, "tokenizer.json"),
    "no tokenizer": (
        lambda f: (f / "tokenizer.json").write_text("{", encoding="utf-8"),
        EmbedError,
        "tokenizer.json",
    ),
}


@pytest.mark.parametrize(("damage", "kind", "says"), DAMAGES.values(), ids=DAMAGES.keys())
def test_wrong_files_are_refused_in_one_sentence(
    copied: Path, damage: Callable[[Path], object], kind: type[RagError], says: str
) -> None:
    damage(copied)
    with pytest.raises(kind, match=says):
        load_reranker(str(copied), SETTINGS, Turns())


@pytest.mark.parametrize("name", ["/no/such/folder", "nobody/never-fetched", "?"])
def test_a_reranker_that_is_not_there_is_refused_with_the_setting(name: str) -> None:
    with pytest.raises(ConfigError, match="FOLIO_RETRIEVE__RERANKER"):
        find_reranker(name)


def test_reranked_hits_change_places_and_the_heights_stay() -> None:
    hits = [
        Ranked(candidate=Candidate(id=UUID(int=i), group="words"), height=10.0 - i)
        for i in range(5)
    ]
    new = reorder(hits, {UUID(int=0): 0.1, UUID(int=2): 0.9, UUID(int=3): 0.5})
    assert [hit.candidate.id.int for hit in new] == [2, 1, 3, 0, 4]
    assert [hit.height for hit in new] == [hit.height for hit in hits]


def test_a_search_shows_passages_in_the_reranker_s_order_at_unchanged_heights(
    folder: Path, tmp_path: Path
) -> None:
    settings = Settings(data_dir=tmp_path, embed=SETTINGS, store=StoreSettings(reserve_mb=0))
    page = make_html("".join(f"<h2>{word}</h2><p>The {word} is long.</p>" for word in WORDS))
    services = build(settings)
    services.pipeline.run(services.pipeline.admit("words.html", page).document.id)
    plain = services.search("the ferry", explain=True)
    services.close()
    reranking = RetrieveSettings(reranker=str(folder))
    services = build(settings.model_copy(update={"retrieve": reranking}))
    reranked = services.search("the ferry", explain=True)
    services.close()
    model = load_reranker(str(folder), SETTINGS, Turns())
    scores = model.score("the ferry", [hit.item.search_text for hit in reranked.hits])
    assert len(plain.hits) == len(WORDS)
    assert scores.tolist() == sorted(scores.tolist(), reverse=True)
    assert [hit.item.id for hit in reranked.hits] != [hit.item.id for hit in plain.hits]
    assert [hit.height for hit in reranked.hits] == [hit.height for hit in plain.hits]
    assert plain.explanation is not None
    assert reranked.explanation is not None
    assert (plain.explanation.reranker, reranked.explanation.reranker) == ("", model.identity)


def test_a_search_with_a_reranker_that_is_not_there_says_so(tmp_path: Path) -> None:
    settings = Settings(
        data_dir=tmp_path,
        embed=SETTINGS,
        store=StoreSettings(reserve_mb=0),
        retrieve=RetrieveSettings(reranker="nobody/never-fetched"),
    )
    services = build(settings)
    services.pipeline.run(services.pipeline.admit("a.html", make_html("<p>A.</p>")).document.id)
    with pytest.raises(ConfigError, match="FOLIO_RETRIEVE__RERANKER"):
        services.search("a ferry")
    services.close()
