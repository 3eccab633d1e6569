"""What clause 8.4 asks for and the record does not yield: named, so that nobody takes silence for a zero."""

from __future__ import annotations

from collections.abc import Mapping

#: Figure to why it is not counted.
NOT_YIELDED: Mapping[str, str] = {
    "Volume rate": "complaints per 1,000 customers: the number of customers is not in the record",
    "Recurrent problem": "three with the same cause and product: causes are sealed words, products are not coded",
    "Statutory payments": "due, paid, late: remedies are not marked as statutory",
    "Objectivity sample": "no sample of closed complaints is drawn yet; fairness as scored stands for it",
    "Improvement actions on time, effective": "opened with a date; carrying them out is not recorded yet",
    "Changes told to complainants": "a change is named in a decision; telling others of it is not recorded yet",
    "People": "training, authority on the spot, suggestions and attestation are not recorded yet",
}
