"""Labels of figures and tables in many languages, and what only looks like one."""

from __future__ import annotations

import pytest

from ingest.captions import is_caption, match_captions, read_label

FIGURES = [
    ("Figure 3-1 CREATE PERMISSION statement", "Figure 3-1"),
    ("FIGURE 12: Budget", "FIGURE 12"),
    ("Fig. S2. Controls", "Fig. S2"),
    ("Figure 4.2a. Detail", "Figure 4.2a"),
    ("Fig. A-1: Map", "Fig. A-1"),
    ("Supplementary Figure 4A. Blots", "Supplementary Figure 4A"),
    ("Extended Data Fig. 1 | Cells", "Extended Data Fig. 1"),
    ("Appendix Figure 2. Rates", "Appendix Figure 2"),
    ("Scheme 1. Synthesis", "Scheme 1"),
    ("Chart 3: Sales", "Chart 3"),
    ("Exhibit 5. Sales", "Exhibit 5"),
    ("Box 2. Terms", "Box 2"),
    ("Plate IV. Birds", "Plate IV"),
    ("Listing 7: Main loop", "Listing 7"),
    ("Algorithm 1: Search", "Algorithm 1"),
    ("Abb. 3: Aufbau", "Abb. 3"),
    ("Abbildung 12. Verlauf", "Abbildung 12"),
    ("Figura 2. Esquema", "Figura 2"),
    ("Gráfico 1. Renta", "Gráfico 1"),
    ("Figuur 6: Meting", "Figuur 6"),
    ("Schéma 2 : Circuit", "Schéma 2"),
    ("Rys. 4. Schemat", "Rys. 4"),
    ("Obr. 5: Graf", "Obr. 5"),
    ("Kuva 1. Laite", "Kuva 1"),
    ("1. ábra. Mérés", "1. ábra"),
    ("Рис. 2. Схема", "Рис. 2"),
    ("Рис. № 4. График", "Рис. 4"),
    ("Рисунок 3 — Схема", "Рисунок 3"),
    ("Σχήμα 2: Διάταξη", "Σχήμα 2"),
    ("Şekil 4. Akış", "Şekil 4"),
    ("Hình 2. Sơ đồ", "Hình 2"),
    ("Gambar 3. Alur", "Gambar 3"),
    ("図1：構成", "図1"),
    ("図\u3000２．構成", "図 2"),
    ("Ｆｉｇ．１　構成", "Fig.1"),
    ("图3-1 系统", "图3-1"),
    ("图一：系统", "图一"),
    ("圖 2 系統", "圖 2"),
    ("그림 3.1 구조", "그림 3.1"),
    ("<그림 2> 구조", "그림 2"),
    ("شکل ۳: نمودار", "شکل ۳"),
    ("الشكل (1): نظام", "الشكل 1"),
    ("איור 1: תרשים", "איור 1"),
    ("चित्र 1: प्रणाली", "चित्र 1"),
    ("รูปที่ 1 ระบบ", "รูปที่ 1"),
]
TABLES = [
    ("Table 2-1 FUNCTION_USAGE view", "Table 2-1"),
    ("TABLE II: DATASETS", "TABLE II"),
    ("Table No. 2: Rates", "Table 2"),
    ("Tab. 7. Werte", "Tab. 7"),
    ("Tabelle 1: Werte", "Tabelle 1"),
    ("Tableau 2 - Résultats", "Tableau 2"),
    ("Tabla N.º 3. Datos", "Tabla 3"),
    ("Cuadro 4. Datos", "Cuadro 4"),
    ("Tabella 5. Dati", "Tabella 5"),
    ("Tabela 1. Dane", "Tabela 1"),
    ("2. táblázat. Adatok", "2. táblázat"),
    ("Таблица 1", "Таблица 1"),
    ("Табл. 3. Данные", "Табл. 3"),
    ("Πίνακας 1: Τιμές", "Πίνακας 1"),
    ("Tablo 2: Veriler", "Tablo 2"),
    ("Çizelge 1. Veriler", "Çizelge 1"),
    ("Bảng 2. Số liệu", "Bảng 2"),
    ("表 2 结果", "表 2"),
    ("表３．結果", "表3"),
    ("[표 1] 개정", "표 1"),
    ("جدول ۱: نتایج", "جدول ۱"),
    ("טבלה 3: נתונים", "טבלה 3"),
    ("ตารางที่ 2 ผล", "ตารางที่ 2"),
]


@pytest.mark.parametrize(("text", "number"), FIGURES)
def test_labels_of_figures_are_read_in_many_languages(text: str, number: str) -> None:
    label = read_label(text)
    assert label is not None
    assert (label.kind, label.number) == ("figure", number)
    assert is_caption(text, is_classed=True, is_beside=False)


@pytest.mark.parametrize(("text", "number"), TABLES)
def test_labels_of_tables_are_read_in_many_languages(text: str, number: str) -> None:
    label = read_label(text)
    assert label is not None
    assert (label.kind, label.number) == ("table", number)
    assert is_caption(text, is_classed=True, is_beside=False)


@pytest.mark.parametrize(
    "text",
    [
        "Figures are nice",
        "Table of contents",
        "Map of 3 rivers",
        "Figure v",
        "tablespoon 2",
        "Mapping 3 things",
        "Boxing 2",
        "1. abraham",
        "Tabac 4",
        "",
    ],
)
def test_words_that_begin_like_a_label_are_none(text: str) -> None:
    assert read_label(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "Figure 2 shows the state machine.",
        "Рисунок 3 показывает схему.",
        "图1所示系统",
        "図1は構成を示す。",
        "그림 1은 구조를",
        "चित्र 1 में दिखाया",
        "Η",
    ],
)
def test_a_sentence_about_a_figure_is_no_caption(text: str) -> None:
    assert not is_caption(text, is_classed=False, is_beside=True)


@pytest.mark.parametrize("text", ["Box 3", "Map 1", "Panel 2.", "Photo 4:"])
def test_a_label_inside_a_diagram_is_no_caption_unless_the_layout_says_so(text: str) -> None:
    assert not is_caption(text, is_classed=False, is_beside=True)
    assert is_caption(text, is_classed=True, is_beside=True)


def test_a_caption_inside_the_box_of_a_picture_belongs_to_it() -> None:
    picture, other = (100.0, 100.0, 300.0, 300.0), (100.0, 310.0, 300.0, 400.0)
    inside = (120.0, 285.0, 280.0, 297.0)
    assert match_captions([(inside, "figure")], [(other, "figure"), (picture, "figure")]) == {0: 1}


def test_a_caption_beside_a_picture_is_taken_when_none_stands_below() -> None:
    picture, beside = (100.0, 100.0, 300.0, 300.0), (310.0, 150.0, 420.0, 200.0)
    far = (400.0, 150.0, 500.0, 200.0)
    assert match_captions([(beside, "figure")], [(picture, "figure")]) == {0: 0}
    assert match_captions([(far, "figure")], [(picture, "figure")]) == {}


def test_captions_below_their_tables_are_told_when_there_is_one_for_each() -> None:
    upper, lower = (100.0, 100.0, 300.0, 200.0), (100.0, 230.0, 300.0, 330.0)
    below_upper, below_lower = (100.0, 210.0, 300.0, 220.0), (100.0, 336.0, 300.0, 346.0)
    tables = [(upper, "table"), (lower, "table")]
    captions = [(below_upper, "table"), (below_lower, "table")]
    assert match_captions(captions, tables) == {0: 0, 1: 1}
    assert match_captions(captions[:1], tables) == {0: 1}
