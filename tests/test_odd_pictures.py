"""Odd pictures through every picture lane that runs here: no crash, upright, on white.

Each starts as the bytes of a file and takes the way of `folio embed`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

from rag.embed.catalogue import CATALOGUE
from rag.embed.once import embed_for_cli
from rag.settings import EmbedSettings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rag.embed.lanes import Array

# Folders under fixtures/, by model; two for SigLIP 2, which is published in two kinds.
FOLDERS = {
    "nomic": ("nomic_vision_tiny",),
    "clip": ("clip_tiny",),
    "siglip2": ("siglip2_tiny/naflex", "siglip2_tiny/fixres"),
    "gemma": ("embeddinggemma2_tiny",),
    "jina": ("jina_clip_onnx_tiny",),
}
LANES = [(name, folder) for name, folders in FOLDERS.items() for folder in folders]
SIZE = (96, 64)
# How far vectors of the plain picture and of an odd one may be apart. JPEG is lossy.
CLOSE, LOSSY = 1e-5, 0.1
RED, BLUE, BLACK, WHITE = "#ff0000", "#0000ff", "#000000", "#ffffff"


def draw(paper: str = WHITE) -> Image.Image:
    """A picture that looks different on another paper, turned, or in other colours."""
    picture = Image.new("RGB", SIZE, paper)
    pen = ImageDraw.Draw(picture)
    pen.rectangle((4, 4, 40, 20), fill=RED)
    pen.rectangle((70, 8, 90, 60), fill=BLACK)
    pen.rectangle((8, 40, 60, 56), fill=BLUE)
    return picture


def paper_mask() -> Image.Image:
    """0 where the paper shows, 255 where something is drawn."""
    return ImageOps.invert(draw().convert("L").point(lambda value: 255 if value == 255 else 0))


def with_alpha(picture: Image.Image) -> Image.Image:
    """Transparent paper, under which black hides."""
    picture.putalpha(paper_mask())
    return picture


def with_clear_entry() -> Image.Image:
    """A palette whose first entry is black and transparent."""
    picture = Image.new("P", SIZE, 0)
    picture.putpalette([0, 0, 0, 255, 0, 0, 0, 0, 255, 0, 0, 0])
    colours = np.asarray(draw()).astype(int) @ (1, 2, 4)
    for index, colour in enumerate((255, 4 * 255, 0), start=1):  # red, blue, black
        picture.paste(index, mask=Image.fromarray(((colours == colour) * 255).astype(np.uint8)))
    return picture


def deep_grey() -> Image.Image:
    return Image.fromarray(np.asarray(draw().convert("L")).astype(np.uint16) * 257)


def sideways() -> tuple[Image.Image, Image.Exif]:
    """A picture stored on its side, and the note that says how it was held."""
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise by 90 degrees
    return draw().transpose(Image.Transpose.ROTATE_90), exif


def write_odd_pictures(folder: Path) -> None:
    turned, exif = sideways()
    draw().save(folder / "plain.png")
    draw().convert("L").save(folder / "plain grey.png")
    with_alpha(draw(BLACK)).save(folder / "transparent.png")
    with_alpha(draw(BLACK).convert("L")).save(folder / "transparent grey.png")
    draw().convert("CMYK").save(folder / "cmyk.tiff")
    draw().convert("CMYK").save(folder / "cmyk.jpg", quality=95, subsampling=0)
    deep_grey().save(folder / "16 bit.png")
    deep_grey().save(folder / "16 bit.tiff")
    draw().quantize(8).save(folder / "palette.png")
    with_clear_entry().save(folder / "clear palette.png", transparency=0)
    with_clear_entry().save(folder / "clear palette.gif", transparency=0)
    turned.save(folder / "sideways.png", exif=exif)
    turned.save(folder / "sideways.jpg", exif=exif, quality=95, subsampling=0)
    Image.new("RGB", (1, 1), RED).save(folder / "dot.png")
    Image.new("L", (1, 1), 0).save(folder / "grey dot.png")
    Image.new("RGB", (20_000, 50), RED).save(folder / "wide.png")
    Image.new("RGB", (50, 20_000), RED).save(folder / "high.png")
    Image.new("RGB", (20_000, 1), RED).save(folder / "line.png")


ALIKE = {  # odd picture: the plain one that it shows
    "transparent.png": "plain.png",
    "transparent grey.png": "plain grey.png",
    "cmyk.tiff": "plain.png",
    "cmyk.jpg": "plain.png",
    "16 bit.png": "plain grey.png",
    "16 bit.tiff": "plain grey.png",
    "palette.png": "plain.png",
    "clear palette.png": "plain.png",
    "clear palette.gif": "plain.png",
    "sideways.png": "plain.png",
    "sideways.jpg": "plain.png",
}
EXTREME = ("dot.png", "grey dot.png", "wide.png", "high.png", "line.png")


@pytest.fixture(scope="module")
def odd_pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("odd")
    write_odd_pictures(folder)
    return folder


@pytest.fixture(scope="module", params=LANES, ids=[folder for _, folder in LANES])
def settings(request: pytest.FixtureRequest, shared: Path) -> EmbedSettings:
    name, folder = request.param
    if name == "jina":
        pytest.importorskip("onnxruntime", reason="jina needs the extra of that name")
    return EmbedSettings(
        model=name, model_dir=shared / "fixtures" / folder, accept_noncommercial_licence=True
    )


@pytest.fixture(scope="module")
def vectors(settings: EmbedSettings, odd_pictures: Path) -> Mapping[str, Array]:
    paths = sorted(odd_pictures.iterdir())
    result = embed_for_cli(settings, images=paths)
    rows = [np.array(row.vector, dtype=np.float32) for row in result.vectors]
    return dict(zip((path.name for path in paths), rows, strict=True))


def embed_raw(settings: EmbedSettings, pictures: Mapping[str, Image.Image], at: Path) -> Any:
    """Vectors of pictures saved as plain RGB, with nothing put right."""
    for name, picture in pictures.items():
        picture.save(at / f"{name}.png")
    result = embed_for_cli(settings, images=[at / f"{name}.png" for name in pictures])
    return [np.array(row.vector) for row in result.vectors]


def test_every_picture_model_that_runs_here_is_tried() -> None:
    local = {facts.name for facts in CATALOGUE if "image" in facts.lanes and not facts.is_remote}

    assert set(FOLDERS) == local


@pytest.mark.parametrize("name", [*ALIKE, *EXTREME])
def test_an_odd_picture_gives_a_whole_unit_vector(name: str, vectors: Mapping[str, Array]) -> None:
    assert np.isfinite(vectors[name]).all()
    assert np.linalg.norm(vectors[name]) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("name", ALIKE)
def test_an_odd_picture_is_seen_upright_and_on_white(
    name: str, vectors: Mapping[str, Array]
) -> None:
    apart = np.linalg.norm(vectors[name] - vectors[ALIKE[name]])

    assert apart < (LOSSY if name.endswith(".jpg") else CLOSE)


def test_a_picture_on_black_on_its_side_or_bleached_would_be_seen_as_another(
    settings: EmbedSettings, vectors: Mapping[str, Array], tmp_path: Path
) -> None:
    turned, _ = sideways()
    bleached = deep_grey().convert("RGB")  # what Pillow 13 makes of 16 bits

    faults = embed_raw(settings, {"black": draw(BLACK), "turned": turned}, tmp_path)
    (grey,) = embed_raw(settings, {"bleached": bleached}, tmp_path)

    assert all(np.linalg.norm(fault - vectors["plain.png"]) > LOSSY for fault in faults)
    assert np.linalg.norm(grey - vectors["plain grey.png"]) > 100 * CLOSE
