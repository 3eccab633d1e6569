"""Sums of the survey scores of each month, from stored rows alone (8.3)."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

from sqlalchemy import case, func, select

from complaints.measures.report_counts import MonthScores
from complaints.measures.row import CaseMeasures, read_details
from store.database.transaction import Tx
from store.record.measured import COUNTED
from store.tables import MEASURES

_ROW = MEASURES.c
_SCORES = (_ROW.process_score, _ROW.outcome_score)
_SUMS = [
    part
    for score in _SCORES
    for part in (func.sum(score), func.sum(case((score >= 4, 1), else_=0)), func.count(score))
]


def sum_month_scores(tx: Tx, bounds: Sequence[datetime]) -> list[MonthScores]:
    """The sums of the months between these moments. The columns have the last round; earlier ones are read too."""
    months = []
    for start, end in pairwise(bounds):
        received = (*COUNTED, _ROW.received_at >= start, _ROW.received_at < end)
        values = [value or 0 for value in tx.connection.execute(select(*_SUMS).where(*received)).one()]
        sums = [values[:3], values[3:]]
        # Finds every complaint with a second round, and some others with a list of two in their details.
        several = select(MEASURES).where(*received, _ROW.details.like('%"surveys":[[%],[%'))
        for row in map(CaseMeasures._make, tx.connection.execute(several)):
            for *scores, _ in read_details(row).get("surveys", ())[:-1]:
                for total, score in zip(sums, scores, strict=True):
                    if score is not None:
                        total[:] = total[0] + score, total[1] + (score >= 4), total[2] + 1
        process, outcome = sums
        months.append(MonthScores((process[0], process[1], process[2]), (outcome[0], outcome[1], outcome[2])))
    return months
