"""Numbers, units and dates of a sentence, looked for in what it cites."""

from __future__ import annotations

import time

import pytest

from rag.dates import Date, dates_in
from rag.numbers import missing_numbers, source_numbers

SAME = [
    ("The rate is 12 percent.", "The rate is 12 %."),
    ("The rate is 12 per cent.", "Der Satz beträgt 12 Prozent."),
    ("The rate is 12%.", "Le taux est de 12 pour cent."),
    ("It made 1,234.5 tonnes.", "It made 1.234,5 tonnes."),
    ("It made 1 234,5 tonnes.", "It made 1234.5 t."),
    ("It has 1,200,000 users.", "It has 1.2 million users."),
    ("It has 1.2 Millionen users.", "It has 1,200,000 users."),
    ("It cost $1.2bn.", "It cost 1,200,000,000 dollars."),
    ("It is 1.2 km away.", "It is 1,200 metres away."),
    ("The road is 5 kilometres long.", "The road is 5 km long."),
    ("It runs 2 years.", "It runs 24 months."),
    ("A 26-week wait.", "It takes 26 weeks."),
    ("It weighs 3 µg.", "It weighs 3 μg."),
    ("It weighs 3 ug.", "It weighs 3 µg."),
    ("At 5 °C it stops.", "At 5 degrees Celsius it stops."),
    ("Between 5 and 10 km.", "5–10 km"),
    ("5 to 10 million people.", "5-10 million people"),
    ("From 5 million to 10 million.", "5–10 million"),
    ("The 3rd try worked.", "The third try worked."),
    ("It holds 10⁶ cells.", "It holds 10^6 cells."),
    ("The area is 5 km².", "The area is 5 square kilometres."),
    ("In 2025 it rose.", "In 2024/25 it rose."),
    ("It is 45 m high.", "| Height (m) | 45 |"),
    ("It earned 47 million.", "Revenue (in millions) | 47 |"),
    ("It is 45 high.", "It is 45 m high."),
    ("It cost 5 euros.", "It cost €5."),
    ("It cost EUR 5.", "It cost 5 €."),
    ("About 1.2 million people came.", "1,234,567 people came."),
    ("Nearly 50 came.", "In all 49.7 came."),
    ("Figures 2 and 3 show it.", "See Fig. 2 and Fig. 3."),
    ("Figure 3 shows it.", "See Figures 2 and 3."),
    ("Version 1.5.2 is out.", "Get 1.5.2 now."),
]
OTHER = [
    ("It is 5 lb.", "It is 5 kg."),
    ("It is 12 km away.", "It is 12 m away."),
    ("It is 12 m away.", "It is 12 km away."),
    ("It rose by 12 percentage points.", "It rose by 12 percent."),
    ("It rose by 12 %.", "It rose by 12 percentage points."),
    ("It has 2.5 billion users.", "It has 2.5 million users."),
    ("It has 2.5 users.", "It has 2.5 million users."),
    ("It cost $5.", "It cost €5."),
    ("It waits 26 days.", "It waits 26 weeks."),
    ("It is 45 km high.", "| Height (m) | 45 |"),
    ("It earned 47 billion.", "Revenue (in millions) | 47 |"),
    ("It is 5 °F.", "It is 5 °C."),
    ("It makes 12 kW.", "It makes 12 MW."),
    ("It weighs 5 kg.", "It is 5 km long."),
    ("It made 1,243.5 tonnes.", "It made 1,234.5 tonnes."),
    ("About 1.3 million people came.", "1,234,567 people came."),
    ("It weighs 9 kg.", "It has 9 photographs and weighs 8 kg."),
    ("Figure 6 shows it.", "Figure 3 shows 6 boats."),
    ("Some 60 kilometres.", "Some 60 metres."),
    ("It has 4 masts.", "Machine S4 has three masts."),
    ("From 24 to 46 December.", "From 24 to 26 December."),
    ("About 51 came.", "In all 49.7 came."),
]


@pytest.mark.parametrize(("said", "source"), SAME)
def test_one_number_in_two_forms_is_found(said: str, source: str) -> None:
    assert missing_numbers(said, source_numbers(source)) == []


@pytest.mark.parametrize(("said", "source"), OTHER)
def test_another_number_unit_or_scale_is_missing(said: str, source: str) -> None:
    assert len(missing_numbers(said, source_numbers(source))) == 1


def test_a_missing_number_is_named_with_its_unit() -> None:
    known = source_numbers("It is 5 kg and costs 2.5 million euros.")
    assert missing_numbers("It is 5 lb and costs 2.5 billion euros.", known) == [
        "5 lb",
        "2.5 billion euros",
    ]


@pytest.mark.parametrize(
    "written",
    [
        "3 May 2021", "May 3, 2021", "2021-05-03", "03.05.2021", "3rd of May 2021", "3 MAY 2021",
        "3. Mai 2021", "3 mai 2021", "3 de mayo de 2021", "3 maggio 2021", "3 mei 2021",
    ],
)  # fmt: skip
def test_one_day_in_many_forms(written: str) -> None:
    (found,) = dates_in(f"On {written} it began.")
    assert found.readings == (Date(2021, 5, 3),)


def test_a_date_that_can_be_read_two_ways_has_both_readings() -> None:
    (found,) = dates_in("On 05/03/2021.")
    assert set(found.readings) == {Date(2021, 3, 5), Date(2021, 5, 3)}


@pytest.mark.parametrize("text", ["You may go.", "Section 5 may apply.", "May I?", "12 maybe"])
def test_words_that_look_like_months_are_none(text: str) -> None:
    assert dates_in(text) == []


def test_days_of_a_range_are_dates_each() -> None:
    assert [d.readings[0] for d in dates_in("3–5 May 2021")] == [
        Date(2021, 5, 3),
        Date(2021, 5, 5),
    ]


@pytest.mark.parametrize("unit", ["1", "1 ", "5 km ", "may ", "1.", "5-", "$", "3 May ", "°", "(m"])
def test_long_runs_take_linear_time(unit: str) -> None:
    def seconds(count: int) -> float:
        text = unit * count
        started = time.process_time()
        missing_numbers(text, source_numbers(text))
        dates_in(text)
        return time.process_time() - started

    seconds(10)
    assert seconds(8_000) < 40 * seconds(800) + 0.5
