"""Which language a document is in, and what is said when the embedder does not read it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ingest import language as detection
from ingest.language import detect_language
from rag.embed.catalogue import MINILM, NOMIC, NOMIC_TEXT_ONLY, ModelFacts
from rag.embed.languages import language_name, language_note
from rag.settings import Settings, StoreSettings
from tests.builders import make_html, make_pdf
from tests.conftest import ROOT
from ui.services import Services, build

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# The same note about a pump in a cellar.
PARAGRAPHS = {
    "en": (
        "The pump stands in the cellar and starts by itself when the water rises. Clean the "
        "filter once a month, and call the caretaker if the red lamp does not go out within "
        "ten minutes."
    ),
    "de": (
        "Die Pumpe steht im Keller und läuft von selbst an, wenn das Wasser steigt. Reinigen "
        "Sie den Filter einmal im Monat und rufen Sie den Hausmeister, wenn die rote Lampe "
        "nicht erlischt."
    ),
    "fr": (
        "La pompe se trouve dans la cave et se met en marche toute seule quand l'eau monte. "
        "Nettoyez le filtre une fois par mois et appelez le gardien si la lampe rouge ne "
        "s'éteint pas."
    ),
    "es": (
        "La bomba está en el sótano y se pone en marcha sola cuando sube el agua. Limpie el "
        "filtro una vez al mes y llame al conserje si la luz roja no se apaga en diez minutos."
    ),
    "it": (
        "La pompa si trova in cantina e parte da sola quando l'acqua sale. Pulite il filtro "
        "una volta al mese e chiamate il custode se la spia rossa non si spegne entro dieci "
        "minuti."
    ),
    "pt": (
        "A bomba fica na cave e começa a trabalhar sozinha quando a água sobe. Limpe o filtro "
        "uma vez por mês e chame o porteiro se a luz vermelha não se apagar em dez minutos."
    ),
    "nl": (
        "De pomp staat in de kelder en slaat vanzelf aan als het water stijgt. Maak het "
        "filter één keer per maand schoon en bel de conciërge als het rode lampje niet "
        "uitgaat."
    ),
    "sv": (
        "Pumpen står i källaren och startar av sig själv när vattnet stiger. Rengör filtret "
        "en gång i månaden och ring vaktmästaren om den röda lampan inte slocknar."
    ),
    "pl": (
        "Pompa stoi w piwnicy i włącza się sama, gdy poziom wody rośnie. Raz w miesiącu "
        "należy wyczyścić filtr, a jeśli czerwona lampka nie zgaśnie, trzeba zadzwonić do "
        "dozorcy."
    ),
    "cs": (
        "Čerpadlo stojí ve sklepě a zapne se samo, když voda stoupá. Jednou za měsíc "
        "vyčistěte filtr a zavolejte správce, pokud červená kontrolka do deseti minut "
        "nezhasne."
    ),
    "fi": (
        "Pumppu on kellarissa ja käynnistyy itsestään, kun vesi nousee. Puhdista suodatin "
        "kerran kuussa ja soita talonmiehelle, jos punainen valo ei sammu kymmenessä "
        "minuutissa."
    ),
    "hu": (
        "A szivattyú a pincében áll, és magától elindul, amikor a víz emelkedik. Havonta "
        "egyszer tisztítsa meg a szűrőt, és hívja a gondnokot, ha a piros lámpa nem alszik ki."
    ),
    "tr": (
        "Pompa bodrumda durur ve su yükseldiğinde kendiliğinden çalışır. Filtreyi ayda bir "
        "kez temizleyin, kırmızı lamba on dakika içinde sönmezse kapıcıyı arayın."
    ),
    "vi": (
        "Máy bơm đặt dưới tầng hầm và tự chạy khi nước dâng lên. Hãy rửa bộ lọc mỗi tháng một "
        "lần và gọi cho người trông nhà nếu đèn đỏ không tắt trong vòng mười phút."
    ),
    "id": (
        "Pompa itu berada di ruang bawah tanah dan menyala sendiri ketika air naik. Bersihkan "
        "saringannya sebulan sekali dan hubungi penjaga gedung jika lampu merah tidak padam."
    ),
    "ru": (
        "Насос стоит в подвале и включается сам, когда поднимается вода. Раз в месяц "
        "промывайте фильтр и звоните сторожу, если красная лампа не погаснет за десять минут."
    ),
    "uk": (
        "Насос стоїть у підвалі й вмикається сам, коли піднімається вода. Раз на місяць "
        "промивайте фільтр і телефонуйте сторожеві, якщо червона лампа не згасне за десять "
        "хвилин."
    ),
    "el": (
        "Η αντλία βρίσκεται στο υπόγειο και ξεκινά μόνη της όταν ανεβαίνει το νερό. "
        "Καθαρίζετε το φίλτρο μία φορά τον μήνα και καλέστε τον θυρωρό αν η κόκκινη λυχνία "
        "δεν σβήσει."
    ),
    "ar": (
        "توجد المضخة في القبو وتعمل من تلقاء نفسها عندما يرتفع الماء. نظف المرشح مرة كل شهر، "
        "واتصل بالحارس إذا لم ينطفئ المصباح الأحمر خلال عشر دقائق."
    ),
    "he": (
        "המשאבה עומדת במרתף ומתחילה לפעול לבדה כשהמים עולים. נקו את המסנן פעם בחודש, והתקשרו "
        "לשרת הבניין אם הנורה האדומה לא נכבית בתוך עשר דקות."
    ),
    "fa": (
        "پمپ در زیرزمین قرار دارد و وقتی آب بالا می‌آید خودش روشن می‌شود. صافی را ماهی یک بار "
        "تمیز کنید و اگر چراغ قرمز تا ده دقیقه خاموش نشد به سرایدار زنگ بزنید."
    ),
    "hi": (
        "पंप तहखाने में रखा है और पानी बढ़ने पर अपने आप चालू हो जाता है। महीने में एक बार "
        "छलनी साफ़ कीजिए और अगर लाल बत्ती दस मिनट में न बुझे तो चौकीदार को बुलाइए।"
    ),
    "bn": (
        "পাম্পটি মাটির নিচের ঘরে আছে এবং জল বাড়লে নিজে থেকেই চালু হয়। মাসে একবার ছাঁকনি "
        "পরিষ্কার করুন, আর লাল বাতি দশ মিনিটে না নিভলে দারোয়ানকে ডাকুন।"
    ),
    "th": (
        "เครื่องสูบน้ำตั้งอยู่ในห้องใต้ดินและจะทำงานเองเมื่อระดับน้ำสูงขึ้น "
        "โปรดล้างตัวกรองเดือนละครั้ง และโทรหาผู้ดูแลอาคารหากไฟสีแดงไม่ดับภายในสิบนาที"
    ),
    "ko": (
        "펌프는 지하실에 있으며 물이 차오르면 저절로 작동합니다. "
        "한 달에 한 번 필터를 청소하고, "
        "빨간 등이 십 분 안에 꺼지지 않으면 관리인에게 전화하십시오."
    ),
    "ja": (
        "ポンプは地下室にあり、水位が上がるとひとりでに動き始めます。"
        "月に一度フィルターを掃除し、"
        "赤いランプが十分以内に消えないときは管理人に電話してください。"
    ),
    "zh": (
        "水泵放在地下室里，水位上升时会自动启动。请每个月清洗一次过滤网，"
        "如果红灯在十分钟内没有熄灭，请给管理员打电话。"
    ),
}
PYTHON = """import os
from pathlib import Path

class Walker:
    def __init__(self, root, depth=3):
        self.root = Path(root)
        self.depth = depth

    def walk(self):
        for entry in os.scandir(self.root):
            if entry.is_dir() and self.depth > 0:
                yield from Walker(entry.path, self.depth - 1).walk()
            else:
                yield entry.path
"""
SQL = """SELECT d.id, d.name FROM documents d LEFT JOIN runs r ON r.id = d.run
WHERE d.state = 'ready' ORDER BY d.seq DESC;
INSERT INTO runs (id, workspace) VALUES (1, 'local');
"""
SCRIPT = """function add(a, b) {
  const total = a + b;
  if (total > 10) { return null; }
  for (let i = 0; i < 10; i++) { console.log(i, total); }
  return total;
}
"""


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    opened = build(Settings(data_dir=tmp_path / "library", store=StoreSettings(reserve_mb=0)))
    yield opened
    opened.close()


def ingest(services: Services, name: str, data: bytes) -> str:
    admitted = services.pipeline.admit(name, data)
    return services.pipeline.run(admitted.document.id).language


@pytest.mark.parametrize("code", PARAGRAPHS)
def test_a_paragraph_is_told_by_its_language(code: str) -> None:
    assert detect_language([PARAGRAPHS[code]]) == code


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("Annex 7", id="a few words"),
        pytest.param(" ".join(f"{n} {n * 3.7:.2f} kg" for n in range(300)), id="numbers"),
        pytest.param(
            "\n".join(f"https://www.example.org/a/page-{n}.html" for n in range(50)), id="addresses"
        ),
        pytest.param("xqz wvk zzrt plmq wkk brrt gghh jjkl qqwp mnbv zxcv ttrp", id="noise"),
        pytest.param(PYTHON, id="Python"),
        pytest.param(SQL * 5, id="SQL"),
        pytest.param(SCRIPT * 5, id="JavaScript"),
    ],
)
def test_what_is_no_prose_has_no_language(text: str) -> None:
    assert detect_language([text]) == ""


@pytest.mark.parametrize(
    ("main", "other"), [("ko", "en"), ("en", "ko"), ("de", "en"), ("ru", "fr"), ("zh", "en")]
)
def test_a_mixed_document_has_its_main_language(main: str, other: str) -> None:
    assert detect_language([PARAGRAPHS[main]] * 7 + [PARAGRAPHS[other]] * 3) == main


def test_the_whole_document_counts_not_its_first_page() -> None:
    cover = [PARAGRAPHS["en"]] * 20
    assert detect_language(cover + [PARAGRAPHS["tr"]] * 400) == "tr"


def test_code_and_numbers_do_not_outvote_prose() -> None:
    numbers = " ".join(f"{n} {n * 3.7:.2f}" for n in range(500))
    assert detect_language([PYTHON, numbers, PARAGRAPHS["hi"], SQL, numbers]) == "hi"


def test_three_languages_in_equal_parts_give_none() -> None:
    parts = [PARAGRAPHS[code] for code in ("de", "fr", "it") for _ in range(10)]
    assert detect_language(parts) == ""


def test_a_temporary_folder_that_is_full_costs_the_language_only(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import tempfile

    def full(**_options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    detection._model.cache_clear()
    assert detect_language([PARAGRAPHS["ko"]]) == ""
    assert "No space left" in caplog.text
    detection._model.cache_clear()


def test_every_language_of_the_detector_has_an_english_name() -> None:
    model = detection._model()
    assert model is not None
    codes = [code for code in model.labels if len(code) == 2]
    assert len(codes) > 100
    assert [code for code in codes if language_name(code) == code] == []
    assert (language_name("ko"), language_name("el")) == ("Korean", "Greek")


def test_neither_start_nor_an_import_loads_the_detector() -> None:
    code = (
        "import sys, ingest.pipeline, ingest.language, rag.embed.languages, ui.services;"
        "print(sorted({'py3langid', 'babel', 'torch'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("folder", "name", "code"),
    [
        ("html", "readability-qq.html", "zh"),
        ("html", "readability-v8-blog.html", "en"),
        pytest.param("pdf", "normal_4pages.pdf", "ko", marks=pytest.mark.soak),
        ("pdf", "right_to_left_03.pdf", "fa"),
        pytest.param("pdf", "160F-2019.pdf", "fr", marks=pytest.mark.soak),
        ("pdf", "ocr_test.pdf", ""),
    ],
)
def test_a_real_file_keeps_its_language_in_the_library(
    services: Services, shared: Path, folder: str, name: str, code: str
) -> None:
    data = (shared / "corpus" / folder / name).read_bytes()
    assert ingest(services, name, data) == code
    assert [document.language for document in services.documents()] == [code]


def test_pages_of_our_own_are_told_too(services: Services) -> None:
    page = "".join(f"<p>{PARAGRAPHS['ja']}</p>" for _ in range(3))
    assert ingest(services, "pump.html", make_html(page)) == "ja"
    assert ingest(services, "pump.pdf", make_pdf([PARAGRAPHS["nl"]])) == "nl"


def test_the_command_line_tells_the_note_with_the_file(tmp_path: Path) -> None:
    (tmp_path / "pump.html").write_bytes(make_html(f"<p>{PARAGRAPHS['ko'] * 2}</p>"))
    command = [sys.executable, "-m", "ui.cli", "ingest", str(tmp_path / "pump.html")]

    told = [
        subprocess.run(
            [*command, *extra, "--data-dir", str(tmp_path / "library")],
            cwd=ROOT,
            env={**os.environ, "FOLIO_STORE__RESERVE_MB": "0"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for extra in (["--json"], [])  # the second time it is known already
    ]

    (warning,) = json.loads(told[0])["warnings"]
    assert warning.startswith("This document is in Korean; the current embedder, minilm,")
    head, below = told[1].splitlines()
    assert head.startswith("pump.html: unchanged,")
    assert below == f"   {warning}"


GEMMA = replace(NOMIC, name="gemma", languages="many")
GEMMA_TEXT = replace(GEMMA, name="gemma-text", lanes=("text",), checkpoints=GEMMA.checkpoints[:1])
JINA = replace(NOMIC_TEXT_ONLY, name="jina", checkpoints=(), languages="many", commercial_use="no")
HOSTED = replace(JINA, name="jina-api", commercial_use="yes", runtime="http")
PICTURES = replace(GEMMA, name="siglip2", lanes=("image",))


def advice(language: str, text: ModelFacts, *others: ModelFacts) -> str:
    return language_note(language, text, (MINILM, NOMIC, *others))


def test_the_note_names_language_embedder_and_what_is_better() -> None:
    assert advice("ko", MINILM, GEMMA) == (
        "This document is in Korean; the current embedder, minilm, was trained on English, so it "
        "is found mainly by exact words. gemma reads it better."
    )


@pytest.mark.parametrize("language", ["", "en"])
def test_no_note_for_english_or_an_unknown_language(language: str) -> None:
    assert advice(language, MINILM, GEMMA) == ""


def test_no_note_when_the_embedder_reads_many_languages() -> None:
    assert advice("ko", GEMMA, GEMMA, JINA) == ""


def test_embedders_without_a_reservation_come_first() -> None:
    assert advice("de", NOMIC, JINA, HOSTED, PICTURES, GEMMA_TEXT, GEMMA).endswith(
        " gemma, jina (non-commercial) or jina-api (on a server) reads it better."
    )


def test_without_a_better_embedder_none_is_named() -> None:
    assert advice("de", NOMIC).endswith("found mainly by exact words.")
