"""What stands on pages of the corpus and of mmlongbench_dev, read off their pictures by eye.

Nothing to run here. Pages count from 1. Rows of tables are given cell by cell as they stand
side by side, empty cells too; probes are words in the order in which a reader meets them,
each from one line, so that no hyphen or line end falls into them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of a table, whole or its first cells."""

    doc: str
    page: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Words that follow one another on these pages."""

    doc: str
    pages: tuple[int, ...]
    probes: tuple[str, ...]


# The pages of the short run: columns, tables, charts, listings, screenshots, notes.
PAGES: dict[str, tuple[int, ...]] = {
    "tracemonkey.pdf": (1, 2, 4, 7, 8, 10, 11, 12),
    "redp5110_sampled.pdf": (4, 7, 8, 9, 11, 12, 14, 15),
    "embedded-images-tables.pdf": (1,),
    "normal_4pages.pdf": (1, 2),
    "STEPBACK.pdf": (3, 4, 5, 6, 7, 8, 9, 10),
    "2023.acl-long.386.pdf": (1, 2, 3, 4, 5, 6, 7, 8),
    "2310.07609v1.pdf": (1, 2),
    "2312.10997v5.pdf": (1, 2, 3),
    "fdac8d1e9ef56519371df7e6532df27d.pdf": (1, 2, 3, 4, 5, 6, 7, 8),
}

ROWS: tuple[Row, ...] = (
    Row(
        doc="tracemonkey.pdf",
        page=12,
        cells=("3d-cube", "25", "27", "29", "3", "0", "1.1", "1.1", "1.2", "2.20x"),
    ),
    Row(doc="redp5110_sampled.pdf", page=8, cells=("FUNCTION_ID", "VARCHAR(30)")),
    Row(
        doc="redp5110_sampled.pdf",
        page=9,
        cells=("Visual Explain within Run SQL scripts", "X", "", "X", "X", "X"),
    ),
    Row(
        doc="redp5110_sampled.pdf",
        page=9,
        cells=("ANALYZE PLAN CACHE procedure", "X", "", "X", "", ""),
    ),
    Row(
        doc="redp5110_sampled.pdf",
        page=12,
        cells=(
            "CLIENT_PORT",
            "INTEGER",
            "Port used by the current client to communicate with the server",
        ),
    ),
    Row(
        doc="redp5110_sampled.pdf",
        page=12,
        cells=("ROUTINE_TYPE", "CHAR(1)", "Type of the currently running routine"),
    ),
    Row(doc="embedded-images-tables.pdf", page=1, cells=("0.0335", "0.0409")),
    Row(doc="normal_4pages.pdf", page=2, cells=("구분", "개정전", "개정후")),
    Row(doc="normal_4pages.pdf", page=2, cells=("분류", "1군 감염병", "1급 감염병")),
    Row(doc="STEPBACK.pdf", page=5, cells=("Method", "MMLU Physics", "MMLU Chemistry")),
    Row(doc="STEPBACK.pdf", page=5, cells=("PaLM-2L + CoT", "65% (2%)", "75.3% (1.5%)")),
    Row(
        doc="STEPBACK.pdf",
        page=5,
        cells=("PaLM-2L + Step-Back (ours)", "73.2% (1.9%)", "81.8% (1.4%)"),
    ),
    Row(doc="STEPBACK.pdf", page=5, cells=("GPT-4", "70.3% (2.3%)", "79.9% (1.0%)")),
)

ORDERS: tuple[Order, ...] = (
    Order(
        doc="tracemonkey.pdf",
        pages=(1, 2),
        probes=(
            "uses a mixed-mode execution approach",
            "Hence, recording and compiling a trace",
            "This paper makes the following contributions",
            "The remainder of this paper is organized",
            "TraceMonkey always begins executing",
        ),
    ),
    Order(
        doc="tracemonkey.pdf",
        pages=(8,),
        probes=(
            "Every time the trace recorder emits",
            "heuristic selects v with minimum",
            "an exact, non-generational, stop-the-world mark-and-sweep collector",
        ),
    ),
    Order(
        doc="normal_4pages.pdf",
        pages=(1,),
        probes=(
            "한편 코로나-19가 전 세계적 유행단계에 돌입한 와중에",
            "통상 질병보험금에 비해 상해나 재해로 인한 보험금의 경우",
            "손해보험의 표준약관 규정에 따르면",
        ),
    ),
    Order(
        doc="STEPBACK.pdf",
        pages=(5,),
        probes=(
            "relevant principles for solving the task",
            "various setup. PaLM-2L baseline performance is",
            "of-the-art performance surpassing GPT-4",
            "First, in Figure 3 we",
            "principles) pairs used as demonstrations",
            "The error happens at the step of Abstraction",
        ),
    ),
    Order(
        doc="2023.acl-long.386.pdf",
        pages=(7,),
        probes=(
            "To further understand how reasoning programs",
            "model with end-to-end reasoning for 4-hop claims",
            "ing programs can enhance the retrieval of relevant",
            "We measure the recall of the gold paragraphs",
            "by the reasoning program yields better results",
            "the interpretability of fact-checking compared to",
            "programs through few-shot in-context learning",
        ),
    ),
    Order(
        doc="2312.10997v5.pdf",
        pages=(1, 2, 3),
        probes=(
            "research is shown in Figure 1. The development trajectory",
            "II. OVERVIEW OF RAG",
            "gained prominence shortly after the widespread adoption of",
            "B. Advanced RAG",
        ),
    ),
)
