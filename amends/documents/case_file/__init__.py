"""The case file: Annex B's form, Annex D's follow-up, and everything said and done about one complaint."""

from amends.documents.case_file.case_file import RECORD, case_file, exact_record
from amends.documents.case_file.pictures import StoredPicture

__all__ = ["RECORD", "StoredPicture", "case_file", "exact_record"]
