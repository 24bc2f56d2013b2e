"""Pictures out of noise that look like photographs. Knows arrays and light, nothing of pages."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Field = NDArray[np.float64]


def noise(
    shape: tuple[int, int], seed: int, *, cells: int = 4, octaves: int = 7, fade: float = 0.5
) -> Field:
    """Fractal noise in [0, 1]: layers of smoothed random grids, each twice as fine."""
    rng = np.random.default_rng(seed)
    total = np.zeros(shape)
    for octave in range(octaves):
        rows = cells * 2**octave + 1
        columns = max(2, rows * shape[1] // shape[0])
        grid = rng.random((rows, columns)).astype(np.float32)
        layer = Image.fromarray(grid).resize((shape[1], shape[0]), Image.Resampling.BICUBIC)
        total += np.asarray(layer, dtype=np.float64) * fade**octave
    return (total - total.min()) / (total.max() - total.min())


def ramp(values: Field, stops: list[tuple[float, tuple[int, int, int]]]) -> Field:
    """Colours (h, w, 3) in 0..255 by straight lines between the stops."""
    places = [place for place, _ in stops]
    bands = [np.interp(values, places, [colour[band] for _, colour in stops]) for band in range(3)]
    return np.stack(bands, axis=-1)


def hillshade(height: Field, *, strength: float, azimuth: float = 315.0) -> Field:
    """Light on a height field from one side, 45 degrees up; about 1 on flat ground."""
    dy, dx = np.gradient(height * strength)
    turn = np.radians(azimuth)
    facing = dx * -np.sin(turn) + dy * np.cos(turn)
    return np.clip((1.0 + facing) / np.sqrt(1.0 + dx**2 + dy**2), 0.15, 1.9)


def sound_at_dusk(width: int, height: int, seed: int) -> Field:
    """A strait between mountains with a low sun: sky, five ridges, glittering water."""
    shape = (height, width)
    y = np.linspace(0, 1, height)[:, None] * np.ones((1, width))
    x = np.linspace(0, 1, width)[None, :] * np.ones((height, 1))
    shore = 0.60
    picture = _sky(x, y, shore, seed)
    for layer in range(5):
        picture = _ridge(picture, y, layer, shore, seed)
    water = _water(picture, x, y, shore, seed)
    picture = np.where((y > shore)[..., None], water, picture)
    grain = np.random.default_rng(seed + 99).normal(0, 3.0, shape)
    return np.clip(picture + grain[..., None], 0, 255)


def seabed_relief(width: int, height: int, seed: int) -> tuple[Field, Field]:
    """A sounded sea floor as (picture, depth in metres): a deep channel between two coasts."""
    shape = (height, width)
    x = np.linspace(-1, 1, width)[None, :] * np.ones((height, 1))
    y = np.linspace(-1, 1, height)[:, None] * np.ones((1, width))
    bend = 0.20 * np.sin(x * 2.6 + 0.4)
    channel = np.exp(-(((y - bend) / 0.42) ** 2))
    rough = noise(shape, seed, cells=3, octaves=8, fade=0.52)
    edge = np.clip(np.abs(y - bend) - 0.62, 0, None)
    depth = 12 + 44 * channel - 30 * (rough - 0.5) - 150 * edge
    sea = ramp(depth, _SEA_STOPS)
    land = ramp(-depth, _LAND_STOPS)
    light = hillshade(-depth, strength=0.55)[..., None]
    picture = np.where((depth > 0)[..., None], sea * (0.45 + 0.55 * light), land * light)
    contour = (np.floor(depth / 10) != np.floor(np.roll(depth, 1, axis=0) / 10)) & (depth > 1)
    picture = np.where(contour[..., None], picture * 0.78, picture)
    return np.clip(picture, 0, 255), depth


def satellite(width: int, height: int, seed: int) -> Field:
    """The strait from above: green and rocky coasts, pale shallows, streaks and thin cloud."""
    _, depth = seabed_relief(width, height, seed)
    shape = (height, width)
    turbid = np.exp(-np.clip(depth, 0, None) / 9.0)
    silt = noise(shape, seed + 5, cells=5, octaves=6) * turbid
    deep = np.array([13.0, 43.0, 62.0])
    water = deep + silt[..., None] * np.array([95.0, 120.0, 100.0])
    water += (noise(shape, seed + 6, cells=40, octaves=3)[..., None] - 0.5) * 9
    cover = noise(shape, seed + 7, cells=12, octaves=6)
    land = ramp(
        cover,
        [(0, (46, 62, 38)), (0.5, (84, 96, 56)), (0.75, (128, 120, 88)), (1, (168, 160, 140))],
    )
    light = hillshade(-depth, strength=0.7)[..., None]
    ground = np.where((depth > 0)[..., None], water, land * (0.35 + 0.65 * light))
    surf = np.exp(-((depth - 0.6) ** 2) / 0.5)[..., None]
    ground = ground * (1 - surf * 0.6) + 225 * surf * 0.6
    cloud = np.clip(noise(shape, seed + 8, cells=3, octaves=7) - 0.62, 0, 1)[..., None] * 3.4
    cloud = np.clip(cloud, 0, 0.9)
    return np.clip(ground * (1 - cloud) + 244 * cloud, 0, 255)


def sonar_strip(width: int, height: int, seed: int) -> Field:
    """Side-scan sonar: copper sand ripples, boulders with shadows, the dark line under the fish."""
    shape = (height, width)
    x = np.arange(width)[None, :] * np.ones((height, 1))
    y = np.arange(height)[:, None] * np.ones((1, width))
    bend = noise(shape, seed, cells=3, octaves=4) * 60
    ripples = np.sin((x * 0.35 + y * 0.16 + bend) * 0.62)
    patch = np.clip(noise(shape, seed + 1, cells=3, octaves=5) * 2.4 - 0.8, 0, 1)
    tone = 0.42 + 0.14 * ripples * patch + 0.22 * (noise(shape, seed + 2, cells=6) - 0.5)
    tone = _boulders(tone, x, y, seed)
    speckle = np.random.default_rng(seed + 4).gamma(9, 1 / 9, shape)
    gap = np.abs(x - width / 2 - 6 * np.sin(y / 70)) / width
    tone = np.where(gap < 0.018, 0.05, tone * (0.72 + np.exp(-gap * 5) * 0.5)) * speckle
    return ramp(
        np.clip(tone, 0, 1), [(0, (18, 10, 4)), (0.45, (150, 88, 28)), (1, (255, 226, 160))]
    )


def spectrogram(width: int, height: int, seed: int) -> Field:
    """Underwater sound over time: faint engine bands, rising whistles, clicks, noise below."""
    shape = (height, width)
    x = np.linspace(0, 1, width)[None, :] * np.ones((height, 1))
    y = np.linspace(1, 0, height)[:, None] * np.ones((1, width))
    power = 0.30 * np.exp(-y * 3.2) + 0.16 * noise(shape, seed, cells=16, octaves=5)
    for start, base in ((0.12, 0.34), (0.30, 0.42), (0.55, 0.36), (0.74, 0.46)):
        local = np.clip((x - start) / 0.11, 0, 1)
        pitch = base + 0.20 * np.sin(local * np.pi * 0.9) + 0.02 * np.sin(local * 11)
        inside = (x > start) & (x < start + 0.11)
        for harmonic, loud in ((1.0, 0.75), (1.45, 0.38)):
            power += inside * loud * np.exp(-(((y - pitch * harmonic) / 0.011) ** 2))
    for band in (0.06, 0.11, 0.17):
        power += 0.30 * np.exp(-(((y - band) / 0.008) ** 2))
    power *= 0.8 + 0.4 * np.random.default_rng(seed + 1).random(shape)
    return ramp(np.clip(power, 0, 1), _HEAT_STOPS)


def scanned(page: Image.Image, seed: int, *, degrees: float = 0.7) -> bytes:
    """A clean page as a flatbed would give it: turned a little, grey paper, grain. JPEG."""
    turned = page.convert("L").rotate(degrees, Image.Resampling.BICUBIC, fillcolor=250)
    soft = turned.filter(ImageFilter.GaussianBlur(0.7))
    tone = np.asarray(soft, dtype=np.float64)
    shade = 12 * noise(tone.shape, seed, cells=2, octaves=3)  # type: ignore[arg-type]
    grain = np.random.default_rng(seed).normal(0, 5.0, tone.shape)
    paper = np.clip(tone * 0.93 + 8 - shade + grain, 0, 255)
    return _encode(Image.fromarray(paper.astype(np.uint8)), 58)


def to_jpeg(picture: Field, quality: int = 80) -> bytes:
    """Array (h, w, 3) in 0..255 as JPEG."""
    return _encode(Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8)), quality)


_SEA_STOPS = [
    (0.0, (214, 232, 214)),
    (8.0, (150, 208, 204)),
    (25.0, (74, 152, 182)),
    (45.0, (34, 92, 146)),
    (70.0, (20, 40, 96)),
]
_LAND_STOPS = [
    (0.0, (214, 205, 160)),
    (15.0, (150, 164, 108)),
    (60.0, (120, 116, 84)),
    (120.0, (196, 190, 178)),
]
_HEAT_STOPS = [
    (0.0, (8, 10, 34)),
    (0.25, (50, 22, 98)),
    (0.5, (150, 44, 104)),
    (0.75, (236, 120, 62)),
    (1.0, (252, 238, 170)),
]


def _encode(picture: Image.Image, quality: int) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality, subsampling=2, optimize=True)
    return buffer.getvalue()


def _sky(x: Field, y: Field, shore: float, seed: int) -> Field:
    stops = [
        (0.0, (52, 84, 124)),
        (0.45, (148, 160, 176)),
        (0.8, (240, 190, 140)),
        (1.0, (255, 214, 158)),
    ]
    picture = ramp(np.clip(y / shore, 0, 1), stops)
    cloud = noise((y.shape[0] * 3, y.shape[1]), seed, cells=5, octaves=7)[: y.shape[0] * 3 : 3]
    veil = np.clip(cloud - 0.46, 0, 1) * 2.0 * np.clip(1.1 - y / shore, 0, 1)
    lit = np.array([255.0, 222.0, 196.0])
    picture = picture * (1 - veil[..., None]) + lit * veil[..., None]
    sun = np.exp(-(((x - 0.63) / 0.16) ** 2) - ((y - shore + 0.14) / 0.11) ** 2)
    return picture + sun[..., None] * np.array([70.0, 58.0, 24.0])


def _ridge(picture: Field, y: Field, layer: int, shore: float, seed: int) -> Field:
    height, width = y.shape
    profile = noise((256, width), seed + 11 * layer, cells=1, octaves=7, fade=0.47)[90]
    valley = np.abs(np.linspace(-1.26, 0.74, width)) ** 1.3
    rise = (0.06 + 0.40 * profile * (0.35 + 0.75 * valley)) * (1.0 - 0.13 * layer)
    top = shore - rise * (0.62 + 0.1 * (layer == 0))
    near = layer / 4
    haze = np.array([186.0, 170.0, 168.0]) * (1 - near) + np.array([24.0, 38.0, 44.0]) * near
    # Slopes catch the low sun on one side; far ridges fade into the haze.
    texture = noise((height, width), seed + 40 + layer, cells=9, octaves=6, fade=0.6)
    light = hillshade(texture, strength=26.0, azimuth=250.0)
    below = np.clip((y - top[None, :]) / 0.30, 0, 1)
    colour = haze * (1.0 + (0.10 + 0.16 * near) * (light[..., None] - 1.0))
    mist = below[..., None] * (1 - near) * 0.45
    colour = colour * (1 - mist) + np.array([232.0, 202.0, 176.0]) * mist
    inside = (y > top[None, :]) & (y <= shore)
    return np.where(inside[..., None], colour, picture)


def _water(picture: Field, x: Field, y: Field, shore: float, seed: int) -> Field:
    height, width = y.shape
    depth = np.clip((y - shore) / (1 - shore), 0, 1)
    swell = noise((height * 5, width), seed + 70, cells=60, octaves=4)[::5]
    fine = noise((height * 5, width), seed + 71, cells=190, octaves=3)[::5]
    wave = (swell - 0.5) * 0.7 + (fine - 0.5) * 0.5
    mirror = shore - (y - shore) * 1.25 + wave * 0.10 * (0.25 + depth)
    row = np.clip(mirror * height, 0, shore * height - 1).astype(int)
    shift = (wave * 26 * (0.3 + depth)).astype(int)
    column = np.clip(np.arange(width)[None, :] + shift, 0, width - 1)
    reflected = picture[row, column]
    deep = np.array([22.0, 48.0, 62.0])
    share = (0.62 - 0.30 * depth)[..., None]
    glitter = np.exp(-(((x - 0.63) / (0.05 + 0.12 * depth)) ** 2)) * np.clip(wave * 3.2 - 0.1, 0, 1)
    lit = reflected * share + deep * (1 - share) + wave[..., None] * 46 * (0.3 + depth[..., None])
    return lit + glitter[..., None] * np.array([190.0, 150.0, 96.0])


def _boulders(tone: Field, x: Field, y: Field, seed: int) -> Field:
    rng = np.random.default_rng(seed + 3)
    height, width = tone.shape
    for _ in range(46):
        cx, cy, size = rng.random() * width, rng.random() * height, 1.5 + rng.random() * 4.5
        away = np.sign(cx - width / 2)
        stone = np.exp(-(((x - cx) / size) ** 2) - ((y - cy) / size) ** 2)
        shadow = np.exp(-(((x - cx - away * size * 3) / (size * 2)) ** 2) - ((y - cy) / size) ** 2)
        tone = tone * (1 - 0.85 * shadow) + 0.55 * stone
    return tone
