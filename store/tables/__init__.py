"""Every table of the case file, as SQLModel declares it and as statements use it."""

from sqlalchemy import Table
from sqlmodel import SQLModel

from store.tables import complaints as _complaints
from store.tables import people as _people
from store.tables import proof as _proof
from store.tables import rules as _rules
from store.tables import staff as _staff
from store.tables import words as _words
from store.tables import work as _work
from store.tables.columns import METADATA as METADATA


def _table(model: type[SQLModel]) -> Table:
    return METADATA.tables[str(model.__tablename__)]


PEOPLE = _table(_people.Person)
CONTACTS = _table(_people.ContactPoint)
CASE_PEOPLE = _table(_people.CasePerson)
IDENTIFIERS = _table(_people.Identifier)
CONVERSATIONS = _table(_people.Conversation)
BINDINGS = _table(_people.Binding)

COMPLAINTS = _table(_complaints.Complaint)
DENIED = _table(_complaints.Denied)
ISSUES = _table(_complaints.Issue)
DECISIONS = _table(_complaints.Decision)
REMEDIES = _table(_complaints.Remedy)
TARGETS = _table(_complaints.TargetRow)
PROPOSALS = _table(_complaints.Proposal)
ASSESSMENTS = _table(_complaints.Assessment)
LINKS = _table(_complaints.Link)
EXTERNALS = _table(_complaints.External)
INCIDENTS = _table(_complaints.Incident)
INCIDENT_WORDS = _table(_complaints.IncidentWords)
INCIDENT_RECEIVERS = _table(_complaints.IncidentReceiver)
IMPROVEMENTS = _table(_complaints.Improvement)
SKETCHES = _table(_complaints.Sketch)
LIKENESSES = _table(_complaints.Likeness)

TEXTS = _table(_words.Text)
MESSAGES = _table(_words.Message)
FILES = _table(_words.File)
CHUNKS = _table(_words.FileChunk)
DRAFTS = _table(_words.Draft)
READS = _table(_words.Read)
SLACK = _table(_words.SlackMessage)

OBLIGATIONS = _table(_work.ObligationRow)
HEARD = _table(_work.Key)
SET_ASIDE = _table(_work.SetAside)
LANES = _table(_work.LaneRow)
LEASES = _table(_work.Lease)
CLOCK = _table(_work.Clock)

STAFF = _table(_staff.Member)
STAFF_ROLES = _table(_staff.StaffRole)

EVENTS = _table(_proof.EventRow)
CHECKPOINTS = _table(_proof.Checkpoint)
CHECKPOINT_HEADS = _table(_proof.CheckpointHead)
ATTEMPTS = _table(_proof.Attempt)

RULEBOOKS = _table(_rules.RulebookRow)
SETTINGS = _table(_rules.Setting)
MODELS = _table(_rules.Model)
MODEL_USES = _table(_rules.ModelUse)
MODEL_RUNS = _table(_rules.ModelRun)
HISTORY_PARTS = _table(_rules.HistoryPart)
