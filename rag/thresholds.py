"""What is evidence enough: every number that decides about a refusal, with where it comes from.

Measured 2026-11-25 with the built-in embedder by `bench/refusal.py` (leave one document out)
on the dev questions: 83 of mmlongbench_dev (20 without an answer), 26 of figures_dev (3), 47 of
sample_data (4), and each set asked of the other's documents, with 15 questions of general
knowledge. docs/decisions/0009 has the table and what was tried.
"""

from __future__ import annotations

# Share of the question's words, weighted by rarity, that the best hit must hold.
# Inside one document everything is about the same thing, and a question about what can only be
# seen has few words in common with any text: of 129 answerable questions 2 hold under 0.1, 6
# under 0.2, 10 under 0.3.
MIN_COVERAGE_IN_DOCUMENT = 0.1
# Over many documents the subject itself may be missing: of 186 questions asked of the wrong
# library 118 hold under 0.2 and 148 under 0.3, of 129 asked of the right one 2 and 10.
MIN_COVERAGE = 0.3
# A hit that stands out may do with fewer words, but not with next to none: in a small library the
# best of nothing stands out too (measured: 4.4 for a cake recipe among 19 technical files).
MIN_COVERAGE_ABOVE_BAR = 0.2
# Share of the question's words in one sentence, row or figure that also holds what is asked
# for, an amount of money: the 2 answerable questions of that kind pass, the 4 others do not.
MIN_SHARE_BESIDE = 0.5
# Letters of a name from which on one may be wrong: "Americen" is no other word than "American".
MIN_FORGIVEN = 5
