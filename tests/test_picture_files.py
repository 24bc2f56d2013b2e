"""Picture files as documents: one page, a TIFF one for each of its own; hostile ones refused."""

from __future__ import annotations

import importlib.util
import io
from pathlib import Path

import pytest
from PIL import Image

from ingest.child import parse_in_child
from ingest.detect import detect_media_type
from ingest.pages import draw_page
from ingest.parts import DocumentHead, ParsedPage
from ingest.pictures import PictureFile, name_words
from rag.errors import CorruptFileError, DocumentError, EmptyFileError, FileTooLargeError
from rag.settings import IngestSettings
from tests.builders import make_picture, make_png

LIMITS = IngestSettings()


def _open(
    tmp_path: Path, data: bytes, name: str = "red-lamp plan.png", limits: IngestSettings = LIMITS
) -> PictureFile:
    path = tmp_path / "stored"
    path.write_bytes(data)
    return PictureFile(path, name, limits)


def _pages(opened: PictureFile) -> list[ParsedPage]:
    numbers = range(1, (opened.head.page_count or 0) + 1)
    return [page for n in numbers for page in opened.stages(n, plain=False)]


def _in_child(path: Path) -> tuple[DocumentHead, list[ParsedPage]]:
    media_type = detect_media_type(path.read_bytes(), path.name)
    head, *pages = parse_in_child(path, media_type, name=path.name, limits=LIMITS)
    assert isinstance(head, DocumentHead)
    return head, [page for page in pages if isinstance(page, ParsedPage)]


def test_a_picture_is_one_figure_that_covers_its_page(tmp_path: Path) -> None:
    (page,) = _pages(_open(tmp_path, make_png((400, 300))))

    (figure,) = page.parts
    assert (figure.kind, figure.caption) == ("figure", "red lamp plan")
    assert (page.page_number, page.size, page.page_class) == (1, (400.0, 300.0), "picture")
    assert figure.regions[0].bbox == (0, 0, 400, 300)
    assert figure.image_png is not None
    assert Image.open(io.BytesIO(figure.image_png)).size == (400, 300)


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP"])
def test_every_format_is_read_in_the_child(file_format: str, tmp_path: Path) -> None:
    path = tmp_path / f"lamp.{file_format.lower()}"
    path.write_bytes(make_picture(file_format))

    head, (page,) = _in_child(path)

    assert (head.media_type, head.page_count) == ("picture", 1)
    assert [part.kind for part in page.parts] == ["figure"]


def test_each_page_of_a_tiff_is_a_page_with_its_own_picture(tmp_path: Path) -> None:
    path = tmp_path / "fax.tif"
    path.write_bytes(make_picture("TIFF", pages=3))

    head, pages = _in_child(path)

    assert head.page_count == 3
    assert [page.page_number for page in pages] == [1, 2, 3]
    assert [part.kind for page in pages for part in page.parts] == ["page"] * 3
    assert len({part.image_png for page in pages for part in page.parts}) == 3


def test_an_animation_is_one_picture(tmp_path: Path) -> None:
    assert _open(tmp_path, make_picture("GIF", pages=3)).head.page_count == 1


def test_the_page_of_a_scan_has_the_size_of_its_paper(tmp_path: Path) -> None:
    (page,) = _pages(_open(tmp_path, make_picture("TIFF", (1240, 1754), dpi=(150, 150))))

    assert page.size == pytest.approx((595.2, 841.92))


def test_dots_that_are_not_square_are_drawn_in_their_true_shape(tmp_path: Path) -> None:
    opened = _open(tmp_path, make_picture("TIFF", (864, 550), dpi=(204, 98)))

    drawn = Image.open(io.BytesIO(opened.draw(1, long_side_px=1_600)))

    (page,) = _pages(opened)
    assert page.size is not None
    assert drawn.width / drawn.height == pytest.approx(page.size[0] / page.size[1], rel=0.01)


def test_a_turned_photograph_stands_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    stream = io.BytesIO()
    Image.open(io.BytesIO(make_png((400, 300)))).save(stream, "JPEG", exif=exif, dpi=(144, 144))

    (page,) = _pages(_open(tmp_path, stream.getvalue(), "a.jpg"))

    assert page.size == (150.0, 200.0)


@pytest.mark.parametrize("dpi", [(1, 1), (0, 0), (100_000, 100_000)])
def test_a_resolution_that_cannot_be_is_read_as_72(dpi: tuple[int, int], tmp_path: Path) -> None:
    (page,) = _pages(_open(tmp_path, make_picture("TIFF", dpi=dpi)))

    assert page.size == (400.0, 300.0)


def test_what_the_file_says_it_shows_is_the_caption(tmp_path: Path) -> None:
    data = make_picture("JPEG", description="  The harbour\u202e of Göteborg\nat night ")

    (page,) = _pages(_open(tmp_path, data, "IMG_2041.jpg"))

    assert page.parts[0].caption == "The harbour of Göteborg at night"


@pytest.mark.parametrize("words", ["OLYMPUS DIGITAL CAMERA", "<?xml version='1.0'?><OME/>", "  "])
def test_what_programs_write_by_themselves_is_no_caption(words: str, tmp_path: Path) -> None:
    (page,) = _pages(_open(tmp_path, make_picture("JPEG", description=words), "IMG_2041.jpg"))

    assert page.parts[0].caption == ""


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("team_photo-Berlin 2024.jpg", "team photo Berlin 2024"),
        ("revenueByQuarter.png", "revenue By Quarter"),
        ("Grundriß_EG.tif", "Grundriß EG"),
        ("收入图表.png", "收入图表"),
        ("IMG_20240101_123456.jpg", ""),
        ("DSC00041.JPG", ""),
        ("Screenshot 2024-05-01 at 10.20.30.png", ""),
        ("3f2b8c1d9e.png", ""),
        ("image (3).png", ""),
    ],
)
def test_only_names_that_people_give_count_as_words(name: str, words: str) -> None:
    assert name_words(name) == words


def test_a_smaller_copy_inside_a_tiff_is_no_page(tmp_path: Path) -> None:
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    small = ImageFileDirectory_v2()
    small[0x00FE] = 1
    stream = io.BytesIO()
    with Image.open(io.BytesIO(make_png())) as picture:
        copy = picture.resize((100, 75))
        copy.encoderinfo = {"tiffinfo": small}  # type: ignore[attr-defined]
        picture.save(stream, "TIFF", save_all=True, append_images=[copy])

    assert _open(tmp_path, stream.getvalue()).head.page_count == 1


def test_one_damaged_page_of_a_tiff_does_not_cost_the_others(tmp_path: Path) -> None:
    data = bytearray(make_picture("TIFF", (64, 64), pages=3))
    with Image.open(io.BytesIO(bytes(data))) as picture:
        picture.seek(1)
        offset = picture.tag_v2[273][0]  # type: ignore[attr-defined]
        entry = data.index(offset.to_bytes(4, "little"), 8)
    data[entry : entry + 4] = (0x7FFF_FFF0).to_bytes(4, "little")

    classes = [page.page_class for page in _pages(_open(tmp_path, bytes(data)))]

    assert classes == ["picture", "failed", "picture"]


def test_a_blank_page_of_a_tiff_has_no_parts(tmp_path: Path) -> None:
    blank = Image.new("RGB", (400, 300), "white")
    stream = io.BytesIO()
    blank.save(stream, "TIFF", save_all=True, append_images=[Image.open(io.BytesIO(make_png()))])

    pages = _pages(_open(tmp_path, stream.getvalue()))

    assert [(page.page_class, len(page.parts)) for page in pages] == [("blank", 0), ("picture", 1)]


def test_limits_on_pages_and_pixels_name_themselves(tmp_path: Path) -> None:
    many = make_picture("TIFF", (32, 32), pages=3)
    with pytest.raises(FileTooLargeError, match=r"scan\.tif has more than 2 pages"):
        _open(tmp_path, many, "scan.tif", LIMITS.model_copy(update={"max_pages": 2}))

    large = make_picture("PNG", (1_200, 1_000))
    with pytest.raises(FileTooLargeError, match=r"scan\.png has more than 1 megapixels"):
        _open(tmp_path, large, "scan.png", LIMITS.model_copy(update={"max_megapixels": 1}))


def test_a_dot_is_refused_and_a_plain_area_kept_with_a_remark(tmp_path: Path) -> None:
    with pytest.raises(EmptyFileError, match="smaller than 16 pixels"):
        _open(tmp_path, make_png((8, 300)))

    (page,) = _pages(_open(tmp_path, make_png(pattern=False)))

    assert page.warnings == ("The picture is one tone all over.",)
    assert len(page.parts) == 1


def test_a_torn_jpeg_is_corrupt_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "torn.jpg"
    path.write_bytes(make_picture("JPEG", (800, 600))[:4_000])

    with pytest.raises(CorruptFileError, match=r"torn\.jpg is damaged"):
        _in_child(path)


def test_the_page_of_a_picture_can_be_drawn_later(tmp_path: Path) -> None:
    path = tmp_path / "stored"
    path.write_bytes(make_picture("TIFF", (400, 300), pages=2))

    png = draw_page(path, 2, long_side_px=200, timeout_s=30, media_type="picture").png

    assert Image.open(io.BytesIO(png)).size == (200, 150)


@pytest.fixture(scope="module")
def hostile(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of hostile pictures, made by the generator beside the corpus."""
    script = shared / "hostile" / "make_hostile.py"
    spec = importlib.util.spec_from_file_location("make_hostile", script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.OUT, module.BIG, module.ONLY = tmp_path_factory.mktemp("hostile"), False, ""
    module.make_images()
    return Path(module.OUT)


READ = [
    "apng_3.png", "anim_3.gif", "anim_3.webp", "alpha.webp", "exif_rot6.jpg", "exif_gps.jpg",
    "cmyk.jpg", "gray.jpg", "trailing.jpg", "comment_html.gif", "gray16.png", "palette_trns.png",
    "la.png", "onebit.png", "frames_20000.gif",
]  # fmt: skip
REFUSED = [
    "bomb_900mp.png", "bomb_warnband_178mp.png", "bomb_quiet_89mp.png", "claim_intmax.png",
    "claim_zero.png", "canvas_65535.gif", "bomb_tiled.tif", "deflate_300mp.tif",
    "webp_16383.webp", "claim_65500.jpg", "truncated.jpg", "bmp_claim.bmp", "fits_bomb.png",
    "eps_named.png", "text_named.png", "zero.png", "tiny.png", "strip.png",
    "ppm_claim.ppm", "j2k_claim.jp2",
]  # fmt: skip


def _read(path: Path) -> list[ParsedPage]:
    data = path.read_bytes()
    assert detect_media_type(data, path.name) == "picture"
    return _pages(PictureFile(path, path.name, LIMITS))


@pytest.mark.parametrize("name", READ)
def test_odd_pictures_are_read_as_one_page(name: str, hostile: Path) -> None:
    (page,) = _read(hostile / name)

    assert [part.kind for part in page.parts] == ["figure"]


@pytest.mark.parametrize("name", REFUSED)
def test_hostile_pictures_are_refused_in_one_plain_sentence(name: str, hostile: Path) -> None:
    with pytest.raises(DocumentError) as caught:
        _read(hostile / name)

    words = str(caught.value)
    assert name in words
    assert str(hostile) not in words
    assert "\n" not in words


def test_a_tiff_of_500_pages_is_read_a_page_at_a_time(hostile: Path) -> None:
    opened = PictureFile(hostile / "pages_500.tif", "pages_500.tif", LIMITS)

    (last,) = opened.stages(500, plain=False)

    assert (opened.head.page_count, last.page_number) == (500, 500)


def test_a_tiff_whose_pages_go_in_a_circle_ends(hostile: Path) -> None:
    with pytest.raises(EmptyFileError, match="smaller than 16 pixels"):
        PictureFile(hostile / "ifd_loop.tif", "ifd_loop.tif", LIMITS)


def test_where_a_photograph_was_taken_is_not_kept(hostile: Path) -> None:
    (page,) = _read(hostile / "exif_gps.jpg")

    png = page.parts[0].image_png
    assert png is not None
    assert not Image.open(io.BytesIO(png)).getexif()
