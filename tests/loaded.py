"""Imported by the process that all others are forked from (tests/forked.py): what each desk loads at its start.

The languages and the phrases take a second of processor time, in every desk that a test starts.
"""

import gc

from triage.proposal import load_phrases_and_languages

load_phrases_and_languages()
# No process that is forked looks for garbage among all this, which would also copy its memory.
gc.freeze()
