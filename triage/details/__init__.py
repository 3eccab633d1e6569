"""The facts in a story: which order or account, when, how much, what is asked, where (7.2).

Standard library only. The words stand in `triage/phrases/details_<language>.toml`.
"""

from triage.details.detail import KINDS, Detail
from triage.details.finding import details

__all__ = ["KINDS", "Detail", "details"]
