"""Fetching models from a hub on loopback: whole, resumed, checked, or refused in a sentence."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rag.embed.catalogue import MINILM, NOMIC, NOMIC_TEXT, NOMIC_TEXT_ONLY, NOMIC_VISION
from rag.embed.checkpoints import snapshot_folder
from rag.embed.hub import Pulled, PullProgress, files_of, hub_answers, pull
from rag.embed.load import identity_of, is_cached
from rag.errors import ConfigError, EmbedError, HubError, PullCancelledError
from rag.settings import EmbedSettings
from tests.hub_server import ELSEWHERE, Faults, HubServer, digest_of
from tests.openai_server import free_port

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = EmbedSettings()
FOLDERS = {NOMIC_TEXT: "nomic_text_tiny", NOMIC_VISION: "nomic_vision_tiny"}


@pytest.fixture
def published(shared: Path, tmp_path: Path) -> Path:
    """Both halves in subfolders: the tiny weights, with a config that says the real length."""
    folder = tmp_path / "published"
    for checkpoint, name in FOLDERS.items():
        (folder / name).mkdir(parents=True)
        for file in checkpoint.files:
            (folder / name / file).write_bytes((shared / "fixtures" / name / file).read_bytes())
        config = json.loads((folder / name / "config.json").read_text())
        (folder / name / "config.json").write_text(json.dumps(config | {"n_embd": 768}))
    return folder


@pytest.fixture
def hub(published: Path) -> Iterator[HubServer]:
    with HubServer() as server:
        for checkpoint, folder in FOLDERS.items():
            server.publish(checkpoint, published / folder)
        yield server


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own, also for what reads from the default one."""
    folder = tmp_path / "hub"
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(folder))
    return folder


def pull_from(hub: HubServer, **options: Any) -> Pulled:
    options = {"reserve_mb": 0, "endpoint": hub.endpoint, **options}
    return pull(options.pop("facts", NOMIC), SETTINGS, **options)


def weights_of(cache: Path) -> Path:
    return snapshot_folder(NOMIC_TEXT, cache) / "model.safetensors"


def partials_in(cache: Path) -> list[int]:
    return [path.stat().st_size for path in cache.rglob("*.incomplete")]


def test_a_pull_brings_every_file_to_where_models_are_read(
    hub: HubServer, cache: Path, published: Path
) -> None:
    heard: list[PullProgress] = []
    assert not is_cached(NOMIC, SETTINGS)

    pulled = pull_from(hub, on_progress=heard.append)

    assert is_cached(NOMIC, SETTINGS)
    assert f"@{NOMIC_TEXT.revision[:12]}|" in identity_of(EmbedSettings(model="nomic"))
    size = sum(len(content) for content in hub.files.values())
    assert pulled == Pulled(
        name="nomic",
        fetched_bytes=size,
        folders=(snapshot_folder(NOMIC_TEXT, cache), snapshot_folder(NOMIC_VISION, cache)),
    )
    for checkpoint, folder in FOLDERS.items():
        for name in checkpoint.files:
            fetched = snapshot_folder(checkpoint, cache) / name
            assert fetched.read_bytes() == (published / folder / name).read_bytes()
    assert heard[-1] == PullProgress(file="model.safetensors", done_bytes=size, total_bytes=size)
    done = [progress.done_bytes for progress in heard]
    assert done == sorted(done)
    assert not partials_in(cache)


def test_huggingface_hub_finds_what_was_pulled(hub: HubServer, cache: Path) -> None:
    from huggingface_hub import hf_hub_download

    pull_from(hub)

    found = hf_hub_download(
        NOMIC_TEXT.id, "model.safetensors", revision=NOMIC_TEXT.revision, cache_dir=cache
    )
    assert Path(found) == weights_of(cache)


def test_what_is_whole_is_not_fetched_again(hub: HubServer, cache: Path) -> None:
    pull_from(hub, facts=NOMIC_TEXT_ONLY)
    hub.seen.clear()

    both = pull_from(hub)
    again = pull_from(hub)

    assert all(f"/{NOMIC_VISION.id}/resolve/" in seen.path for seen in hub.seen)
    assert both.fetched_bytes < sum(len(content) for content in hub.files.values())
    assert (again.fetched_bytes, again.note) == (0, "All files of nomic are here already.")


def test_a_damaged_file_is_fetched_again(hub: HubServer, cache: Path) -> None:
    pull_from(hub)
    good = weights_of(cache).read_bytes()
    weights_of(cache).write_bytes(bytes(len(good)))  # through the link, into the blob

    pulled = pull_from(hub)

    assert weights_of(cache).read_bytes() == good
    assert pulled.fetched_bytes == len(good)


def test_a_cut_connection_is_taken_up_where_it_broke(hub: HubServer, cache: Path) -> None:
    hub.faults = Faults(cut_after=100_000)

    pull_from(hub, facts=NOMIC_TEXT_ONLY)

    first, second = hub.downloads("model.safetensors")
    size = weights_of(cache).stat().st_size
    assert "range" not in first.headers
    assert second.headers["range"] == "bytes=100000-"
    assert second.sent_bytes == size - 100_000
    assert is_cached(NOMIC_TEXT_ONLY, SETTINGS)


def test_a_later_pull_goes_on_where_an_earlier_one_gave_up(hub: HubServer, cache: Path) -> None:
    hub.faults = Faults(cut_after=100_000)

    def break_down(progress: PullProgress) -> None:
        if progress.file == "model.safetensors" and partials_in(cache) == [100_000]:
            hub.faults.status = 503

    with pytest.raises(HubError, match=r"broke \(it answered 503\).* 0\.1 MB .*are kept") as caught:
        pull_from(hub, facts=NOMIC_TEXT_ONLY, on_progress=break_down)
    assert caught.value.retryable
    assert not weights_of(cache).exists()
    hub.faults = Faults()
    heard: list[PullProgress] = []

    pulled = pull_from(hub, facts=NOMIC_TEXT_ONLY, on_progress=heard.append)

    assert hub.downloads("model.safetensors")[-1].headers["range"] == "bytes=100000-"
    assert heard[0].done_bytes > 100_000  # config.json was whole
    size = weights_of(cache).stat().st_size
    assert pulled.fetched_bytes == size - 100_000 + len(hub.files[_key("tokenizer.json")])


def test_a_server_that_ignores_ranges_sends_the_file_anew(hub: HubServer, cache: Path) -> None:
    hub.faults = Faults(cut_after=100_000, ignores_ranges=True)

    pull_from(hub, facts=NOMIC_TEXT_ONLY)

    size = weights_of(cache).stat().st_size
    assert [seen.sent_bytes for seen in hub.downloads("model.safetensors")] == [100_000, size]


def test_more_bytes_than_the_hub_has_are_thrown_away(hub: HubServer, cache: Path) -> None:
    weights = hub.files[_key("model.safetensors")]
    blobs = snapshot_folder(NOMIC_TEXT, cache).parents[1] / "blobs"
    blobs.mkdir(parents=True)
    digest = digest_of("model.safetensors", weights)
    (blobs / f"{digest}.incomplete").write_bytes(weights + b"more")

    pull_from(hub, facts=NOMIC_TEXT_ONLY)

    assert weights_of(cache).read_bytes() == weights


def test_a_stopped_pull_keeps_what_arrived_and_goes_on_later(hub: HubServer, cache: Path) -> None:
    hub.faults = Faults(pause_s=0.01)
    stop = threading.Event()

    def stop_in_the_middle(progress: PullProgress) -> None:
        if progress.file == "model.safetensors" and progress.done_bytes > 20_000:
            stop.set()

    with pytest.raises(PullCancelledError, match=r"stopped.* is kept") as caught:
        pull_from(
            hub,
            facts=NOMIC_TEXT_ONLY,
            on_progress=stop_in_the_middle,
            is_cancelled=stop.is_set,
        )
    assert caught.value.kind == "cancelled"
    (kept,) = partials_in(cache)
    assert kept > 0
    assert not is_cached(NOMIC_TEXT_ONLY, SETTINGS)
    hub.faults = Faults()

    pull_from(hub, facts=NOMIC_TEXT_ONLY)

    assert hub.downloads("model.safetensors")[-1].headers["range"] == f"bytes={kept}-"
    assert is_cached(NOMIC_TEXT_ONLY, SETTINGS)


def test_a_pull_can_be_stopped_while_the_server_says_nothing(hub: HubServer, cache: Path) -> None:
    hub.faults = Faults(pause_s=60)  # after the first 1,000 bytes
    stop = threading.Event()

    def stop_at_once(progress: PullProgress) -> None:
        stop.set()

    with pytest.raises(PullCancelledError):
        pull_from(hub, on_progress=stop_at_once, is_cancelled=stop.is_set)


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json"])
def test_other_content_than_stated_is_refused_and_deleted(
    hub: HubServer, cache: Path, name: str
) -> None:
    hub.faults = Faults(garbles=name)

    with pytest.raises(HubError, match=f"{name} of {NOMIC_TEXT.id} .*other content.*deleted"):
        pull_from(hub)

    assert not (snapshot_folder(NOMIC_TEXT, cache) / name).exists()
    assert not partials_in(cache)
    assert not is_cached(NOMIC, SETTINGS)


def test_another_revision_than_the_pinned_one_is_refused(hub: HubServer, cache: Path) -> None:
    hub.faults = Faults(commit="1" * 40)

    with pytest.raises(HubError, match=r"no checksum of config\.json at revision e9b6763023c6"):
        pull_from(hub)

    assert not is_cached(NOMIC, SETTINGS)


def test_a_silent_hub_is_one_sentence_and_never_a_wait(hub: HubServer, cache: Path) -> None:
    hub.faults = Faults(is_silent=True)
    caught: list[HubError] = []

    def try_it() -> None:
        with pytest.raises(HubError) as error:
            pull_from(hub)
        caught.append(error.value)

    thread = threading.Thread(target=try_it)
    thread.start()
    thread.join(timeout=60)

    assert str(caught[0]).startswith(f"The model hub {hub.endpoint} does not answer (")
    assert caught[0].retryable
    assert caught[0].kind == "hub"


def test_a_name_server_that_hangs_does_not_outlast_the_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    released = threading.Event()
    # Real name servers that swallow questions cannot be had on loopback.
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: released.wait(60))

    answers = hub_answers(NOMIC, timeout_s=0.5, endpoint="http://hub.invalid")

    released.set()
    assert not answers


def test_a_refused_connection_is_one_sentence(cache: Path) -> None:
    endpoint = f"http://127.0.0.1:{free_port()}"

    with pytest.raises(HubError, match=r"does not answer \(.*refused.*HF_ENDPOINT.*--from DIR"):
        pull(NOMIC, SETTINGS, endpoint=endpoint, reserve_mb=0)


@pytest.mark.parametrize("endpoint", ["hub.example", "http://[broken"])
def test_a_mistyped_mirror_is_one_sentence(cache: Path, endpoint: str) -> None:
    with pytest.raises(HubError, match="does not answer"):
        pull(NOMIC, SETTINGS, endpoint=endpoint, reserve_mb=0)


@pytest.mark.parametrize(
    ("status", "sentence", "retryable"),
    [
        (401, rf"\(401\): accept its terms on .*/{NOMIC_TEXT.id}, then set HF_TOKEN", False),
        (403, r"permission \(403\)", False),
        (404, r"no longer has config\.json at revision e9b6763023c6 .*\(404\)", False),
        (503, r"answers with an error \(503\).*try again later", True),
    ],
)  # fmt: skip
def test_a_refusal_is_one_sentence(
    hub: HubServer, cache: Path, status: int, sentence: str, retryable: bool
) -> None:
    hub.faults = Faults(status=status)

    with pytest.raises(HubError, match=sentence) as caught:
        pull_from(hub)

    assert caught.value.retryable is retryable
    assert "\n" not in str(caught.value)


def test_the_token_is_sent_to_the_hub_and_to_nobody_else(
    hub: HubServer, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")

    pull_from(hub)

    elsewhere = [seen for seen in hub.seen if seen.path.startswith(ELSEWHERE)]
    own = [seen for seen in hub.seen if seen not in elsewhere]
    assert {seen.headers.get("authorization") for seen in own} == {"Bearer hf_secret"}
    assert elsewhere
    assert not any("authorization" in seen.headers for seen in elsewhere)


def test_hub_answers_tells_whether_a_pull_could_start(hub: HubServer) -> None:
    assert hub_answers(NOMIC, endpoint=hub.endpoint)
    assert not hub_answers(MINILM, endpoint=hub.endpoint)
    hub.faults = Faults(status=503)
    assert not hub_answers(NOMIC, endpoint=hub.endpoint)
    hub.faults = Faults(is_silent=True)
    assert not hub_answers(NOMIC, timeout_s=0.5, endpoint=hub.endpoint)


def test_a_disk_without_room_is_refused_before_the_transfer(hub: HubServer, cache: Path) -> None:
    size = sum(len(content) for content in hub.files.values())

    with pytest.raises(EmbedError, match=rf"nomic needs {size} bytes more .*Free at least \d+ MB"):
        pull_from(hub, reserve_mb=100_000_000)

    assert {seen.method for seen in hub.seen} == {"HEAD"}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device that is always full")
def test_a_disk_that_fills_up_leaves_nothing_that_looks_whole(hub: HubServer, cache: Path) -> None:
    blobs = snapshot_folder(NOMIC_TEXT, cache).parents[1] / "blobs"
    blobs.mkdir(parents=True)
    digest = digest_of("model.safetensors", hub.files[_key("model.safetensors")])
    (blobs / f"{digest}.incomplete").symlink_to("/dev/full")

    with pytest.raises(EmbedError, match="disk became full while nomic was put into"):
        pull_from(hub)

    assert not weights_of(cache).exists()
    assert not is_cached(NOMIC, SETTINGS)


def test_a_cache_that_cannot_be_written_is_one_sentence(hub: HubServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(EmbedError, match=r"cannot be put into .*HF_HOME"):
        pull_from(hub, hub_cache=tmp_path / "file" / "hub")


def test_a_local_folder_is_copied_without_asking_the_hub(cache: Path, published: Path) -> None:
    heard: list[PullProgress] = []
    dead = f"http://127.0.0.1:{free_port()}"

    pulled = pull(
        NOMIC,
        SETTINGS,
        source=published,
        endpoint=dead,
        reserve_mb=0,
        on_progress=heard.append,
    )

    assert is_cached(NOMIC, SETTINGS)
    assert heard[-1].done_bytes == heard[-1].total_bytes == pulled.fetched_bytes > 600_000
    original = published / "nomic_text_tiny" / "model.safetensors"
    assert weights_of(cache).read_bytes() == original.read_bytes()


def test_a_copied_hub_cache_is_a_source_too(hub: HubServer, cache: Path, tmp_path: Path) -> None:
    pull_from(hub, hub_cache=tmp_path / "stick")

    pull(NOMIC, SETTINGS, source=tmp_path / "stick", reserve_mb=0)

    assert is_cached(NOMIC, SETTINGS)


def test_a_folder_without_the_model_copies_nothing(cache: Path, shared: Path) -> None:
    vision = shared / "fixtures" / "nomic_vision_tiny"

    with pytest.raises(ConfigError, match=rf"does not hold {NOMIC_TEXT.id}.*model\.safetensors"):
        pull(NOMIC, SETTINGS, source=vision, reserve_mb=0)
    with pytest.raises(ConfigError, match=r"no folder .*absent.*--from"):
        pull(NOMIC, SETTINGS, source=vision / "absent", reserve_mb=0)

    assert not list(cache.rglob("*.safetensors"))


def test_a_weights_file_cut_short_on_the_stick_is_refused(cache: Path, published: Path) -> None:
    weights = published / "nomic_vision_tiny" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])

    with pytest.raises(EmbedError, match=r"model\.safetensors is damaged .*Copy it again"):
        pull(NOMIC, SETTINGS, source=published, reserve_mb=0)

    assert not weights_of(cache).exists()


def test_what_has_no_files_to_fetch_says_so(cache: Path, shared: Path) -> None:
    dead = f"http://127.0.0.1:{free_port()}"
    own = EmbedSettings(model_dir=shared / "fixtures")

    assert pull(MINILM, SETTINGS, endpoint=dead).note.startswith("minilm comes with Folio")
    read = pull(NOMIC, own, endpoint=dead)

    assert read.note == f"nomic is read from {own.model_dir}; nothing was fetched."
    assert read.folders == (own.model_dir,)


def test_offline_names_what_is_missing_and_where_to_put_it(cache: Path) -> None:
    program = (
        "from rag.embed.catalogue import NOMIC; from rag.embed.hub import pull\n"
        "from rag.settings import EmbedSettings\n"
        "try: pull(NOMIC, EmbedSettings(), reserve_mb=0)\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    environment = {"HF_HUB_OFFLINE": "1", "HF_HUB_CACHE": str(cache), "PATH": ""}

    printed = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True, text=True, cwd=ROOT, check=True, env=environment,
    ).stdout  # fmt: skip

    assert printed.startswith("HubError HF_HUB_OFFLINE is set")
    assert f"config.json, model.safetensors into {snapshot_folder(NOMIC_VISION, cache)}" in printed


def test_jina_is_fetched_in_the_precision_that_is_set() -> None:
    from dataclasses import replace

    published = ("onnx/model.onnx", "onnx/model.onnx_data", "tokenizer.json")
    jina = replace(NOMIC_TEXT, kind="jina", files=published)

    assert files_of(jina, EmbedSettings(precision="fp32")) == (published[2], *published[:2])
    assert files_of(jina, EmbedSettings(precision="int8")) == (
        "tokenizer.json",
        "onnx/model_int8.onnx",
    )
    assert files_of(NOMIC_TEXT, SETTINGS) == NOMIC_TEXT.files


def _key(name: str) -> str:
    return f"{NOMIC_TEXT.id}/resolve/{NOMIC_TEXT.revision}/{name}"
