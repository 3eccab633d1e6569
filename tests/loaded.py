"""Imported by the process that all others are forked from (tests/forked.py): what each desk loads at its start.

The languages, the phrases and the models of the reader take two seconds of processor time, in every desk that a test
starts.
"""

import gc

from triage.proposal import load_phrases_and_languages
from triage.reader.acts import act_models
from triage.reader.danger import danger_reader

load_phrases_and_languages()
danger_reader()
act_models()
# No process that is forked looks for garbage among all this, which would also copy its memory.
gc.freeze()
