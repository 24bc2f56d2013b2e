"""Questions that bring a picture, through real picture lanes with the weights of the fixtures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from tests.towns import fill, settings_for
from ui.services import build

if TYPE_CHECKING:
    from pathlib import Path


def noise(number: int) -> Image.Image:
    """As `tests.towns` puts it into town `number`."""
    pixels = np.random.default_rng(number).integers(0, 255, (60, 80, 3), dtype=np.uint8)
    return Image.fromarray(pixels).resize((320, 240), Image.Resampling.NEAREST)


@pytest.mark.parametrize(
    ("model", "weights", "legs"),
    [
        pytest.param("nomic", "", {"image", "text", "caption"}, id="joint space"),
        pytest.param("minilm+clip", "clip_tiny", {"image"}, id="own space"),
    ],
)
def test_a_small_crop_goes_through_the_picture_lane(
    shared: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    model: str,
    weights: str,
    legs: set[str],
) -> None:
    # Weights of fixtures mean nothing; which vectors are compared is what is tested.
    folder = shared / "fixtures" / weights
    opened = build(settings_for(tmp_path / "library", model=model, model_dir=folder))
    fill(opened, [0, 5], monkeypatch)

    whole = opened.search("", picture=noise(5))
    part = opened.search("", picture=noise(5).crop((0, 0, 150, 110)), top_k=20)
    opened.close()

    assert whole.hits[0].document_name == "town5.html"
    assert whole.hits[0].legs["image"].cosine == pytest.approx(1, abs=1e-3)
    assert all(hit.look_alike_bits is None for hit in part.hits)
    assert {name for hit in part.hits for name in hit.legs} == legs
    assert part.notes == ()
