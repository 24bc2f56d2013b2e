"""What figures and tables are called, by language. Words only."""

from __future__ import annotations

# Longer words of one beginning need no order: the pattern tries the longest first.
FIGURE_WORDS: dict[str, str] = {
    "English": "figure figures fig figs chart graph plate scheme exhibit illustration photo "
    "map image diagram drawing box panel picture screenshot listing algorithm",
    "German": "Abbildung Abbildungen Abb Bild Grafik Diagramm Karte Foto Schema Quellcode",
    "French": "figure fig graphique schéma schema encadré illustration carte planche",
    "Spanish, Portuguese, Catalan": "figura figuras imagen imagem gráfico grafico ilustración "
    "ilustração lámina esquema mapa foto diagrama",
    "Italian, Romanian": "figura grafico immagine schema tavola imaginea graficul",
    "Dutch": "figuur afbeelding afb grafiek kaart",
    "Danish, Norwegian, Swedish": "figur diagram bild kart billede bilde",
    "Finnish, Estonian": "kuva kuvio kaavio joonis",
    "Czech, Slovak": "obrázek obrázok obr graf schéma",
    "Polish": "rysunek rys wykres schemat mapa",
    "Croatian, Slovenian": "slika grafikon",
    "Russian, Ukrainian, Bulgarian, Serbian": "рисунок рис схема график графік диаграмма "
    "діаграма фото фиг фигура илюстрация слика карта",
    "Greek": "εικόνα σχήμα διάγραμμα γράφημα εικ σχ",
    "Turkish": "şekil resim grafik çizim harita",
    "Indonesian, Malay": "gambar grafik bagan rajah",
    "Vietnamese": "hình ảnh biểu\\s+đồ sơ\\s+đồ",
    "Japanese, Chinese": "図 圖 图 写真 図表 图表 圖表 附图 插图 照片",
    "Korean": "그림 도표 사진",
    "Arabic, Persian, Urdu": "شکل الشكل شكل تصویر صورة الصورة نمودار رسم خريطة",
    "Hebrew": "איור תרשים תמונה",
    "Hindi, Bengali, Tamil": "चित्र आकृति চিত্র படம்",
    "Thai": "รูปที่ ภาพที่ รูป ภาพ แผนภูมิที่",
}
TABLE_WORDS: dict[str, str] = {
    "English": "table tables tab",
    "German": "Tabelle Tab Übersicht",
    "French": "tableau tabl",
    "Spanish, Portuguese, Catalan": "tabla cuadro tabela quadro taula",
    "Italian, Romanian": "tabella tabelul",
    "Dutch, Danish, Norwegian, Swedish": "tabel tabell",
    "Finnish, Estonian": "taulukko tabel",
    "Czech, Slovak": "tabulka tabuľka tab",
    "Polish": "tabela tab",
    "Croatian, Slovenian": "tablica preglednica tabela",
    "Russian, Ukrainian, Bulgarian, Serbian": "таблица табл таблиця табела",
    "Greek": "πίνακας πιν",
    "Turkish": "tablo çizelge",
    "Indonesian, Malay": "tabel jadual",
    "Vietnamese": "bảng",
    "Japanese, Chinese": "表 附表",
    "Korean": "표",
    "Arabic, Persian, Urdu": "جدول الجدول",
    "Hebrew": "טבלה לוח",
    "Hindi, Bengali, Tamil": "तालिका सारणी সারণি அட்டவணை",
    "Thai": "ตารางที่ ตาราง",
}
# Words that stand with a number inside diagrams too: alone they are no caption.
WEAK_WORDS = frozenset(
    (
        *("box", "panel", "map", "drawing", "picture", "image", "photo", "graph", "chart"),
        *("screenshot", "algorithm", "karte", "bild", "mapa", "foto", "resim", "schema"),
    )
)
# These write the number first: "1. ábra".
NUMBER_FIRST_FIGURES = "ábra kép attēls pav irudia grafikoa diagrama"
NUMBER_FIRST_TABLES = "táblázat tabula lentelė taula"
PREFIXES = (
    r"supplement(?:ary|al)|suppl?\.?|extended\s+data|online|appendix|additional|web|annex|"
    r"anhang|ergänzende|supplementär|приложение|付録|附录"
)


def pattern(words: dict[str, str]) -> str:
    """All words of a table as one alternative, the longest first."""
    every = {word for line in words.values() for word in line.split()}
    return "|".join(sorted(every, key=lambda word: (-len(word), word)))
