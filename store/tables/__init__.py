"""All tables of the database, declared with SQLModel and exported here as SQLAlchemy tables for statements."""

from sqlalchemy import Table
from sqlmodel import SQLModel

from store.tables import complaints as _complaints
from store.tables import people as _people
from store.tables import proof as _proof
from store.tables import record as _record
from store.tables import rules as _rules
from store.tables import work as _work
from store.tables.column_types import METADATA as METADATA
from store.tables.record import MEASURES as MEASURES


def _table(model: type[SQLModel]) -> Table:
    return METADATA.tables[str(model.__tablename__)]


PEOPLE = _table(_people.PersonRow)
CONTACTS = _table(_people.ContactPointRow)
CASE_PEOPLE = _table(_people.CasePersonRow)
IDENTIFIERS = _table(_people.IdentifierRow)
CONVERSATIONS = _table(_people.ConversationRow)
BINDINGS = _table(_people.BindingRow)

COMPLAINTS = _table(_complaints.ComplaintRow)
DENIED_MEMBERS = _table(_complaints.DeniedMemberRow)
ISSUES = _table(_complaints.IssueRow)
DECISIONS = _table(_complaints.DecisionRow)
REMEDIES = _table(_complaints.RemedyRow)
TARGETS = _table(_complaints.TargetRow)
PROPOSALS = _table(_complaints.ProposalRow)
ASSESSMENTS = _table(_complaints.AssessmentRow)
LINKS = _table(_complaints.LinkRow)
EXTERNALS = _table(_complaints.ExternalRow)
INCIDENTS = _table(_complaints.IncidentRow)
INCIDENT_WORDS = _table(_complaints.IncidentWordsRow)
INCIDENT_RECEIVERS = _table(_complaints.IncidentReceiverRow)
SKETCHES = _table(_complaints.SketchRow)
WORD_HASHES = _table(_complaints.WordHashRow)
LIKENESSES = _table(_complaints.LikenessRow)

TEXTS = _table(_record.TextRow)
MESSAGES = _table(_record.MessageRow)
FILES = _table(_record.FileRow)
CHUNKS = _table(_record.FileChunkRow)
DRAFTS = _table(_record.DraftRow)
READS = _table(_record.ReadRow)
SLACK = _table(_record.SlackMessageRow)

OBLIGATIONS = _table(_work.ObligationRow)
RECEIVED_KEYS = _table(_work.ReceivedKeyRow)
DEAD_LETTERS = _table(_work.DeadLetterRow)
RATE_LIMITS = _table(_work.RateLimitRow)
LEASES = _table(_work.LeaseRow)
CLOCK = _table(_work.ClockRow)

STAFF = _table(_people.MemberRow)
STAFF_ROLES = _table(_people.StaffRoleRow)
ABSENCES = _table(_people.AbsenceRow)

EVENTS = _table(_record.EventRow)
PROOF_KEYS = _table(_proof.ProofKeyRow)
JOURNAL = _table(_proof.JournalRow)
JOURNAL_HEADS = _table(_proof.JournalHeadRow)
LOG_LEAVES = _table(_proof.LogLeafRow)
LOG_NODES = _table(_proof.LogNodeRow)
LOG_CHECKPOINTS = _table(_proof.LogCheckpointRow)
LOG_SIGNATURES = _table(_proof.LogSignatureRow)
RECEIPTS = _table(_proof.ReceiptRow)
PROOF_STATE = _table(_proof.ProofStateRow)
ATTEMPTS = _table(_record.AttemptRow)

RULEBOOKS = _table(_rules.RulebookRow)
SETTINGS = _table(_rules.SettingRow)
LETTER_TEMPLATES = _table(_rules.LetterTemplateRow)
REGISTER_ENTRIES = _table(_rules.RegisterEntryRow)
MODELS = _table(_rules.ModelRow)
MODEL_USES = _table(_rules.ModelUseRow)
MODEL_RUNS = _table(_rules.ModelRunRow)
HISTORY_PARTS = _table(_rules.HistoryPartRow)
