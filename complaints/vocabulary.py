"""The codes of the standard and of our record: states, roles, verbs, categories and others."""

from collections.abc import Mapping
from enum import IntEnum, StrEnum


class State(StrEnum):
    """The stage of a complaint. Milestones and flags are separate and never block a stage."""

    RECEIVED = "received"
    ASSESSED = "assessed"
    INVESTIGATING = "investigating"
    DECIDED = "decided"
    REMEDYING = "remedying"
    DISAGREED = "disagreed"
    ESCALATED = "escalated"
    RECOURSE_OFFERED = "recourse_offered"
    CLOSED = "closed"


EVERY: frozenset[State] = frozenset(State)
OPEN: frozenset[State] = EVERY - {State.CLOSED}
UNDECIDED: frozenset[State] = frozenset(
    {State.RECEIVED, State.ASSESSED, State.INVESTIGATING, State.ESCALATED}
)
ANSWERED: frozenset[State] = frozenset({State.DECIDED, State.REMEDYING})
#: A decision needs an assessment, and an assessment always leads out of `received`.
DECIDABLE: frozenset[State] = UNDECIDED - {State.RECEIVED}


class Role(StrEnum):
    """The capacity in which a person or a program acts."""

    INTAKE = "intake"
    HANDLER = "handler"
    MANAGER = "manager"
    TOP_MANAGEMENT = "top_management"
    AUDITOR = "auditor"
    ON_CALL = "on_call"
    COMPLAINANT = "complainant"
    SYSTEM = "system"
    MODEL = "model"


class Verb(StrEnum):
    """What can be done to a complaint; each makes one event."""

    RECEIVE = "receive"
    ADD = "add"
    CONFIRM = "confirm"
    END_FORM = "end_form"
    ACKNOWLEDGE = "acknowledge"
    FAIL_DELIVERY = "fail_delivery"
    PROPOSE = "propose"
    ASSESS = "assess"
    REASSESS = "reassess"
    RECLASSIFY = "reclassify"
    ASSIGN = "assign"
    NOTE = "note"
    REPLY = "reply"
    ASK = "ask"
    ANSWER = "answer"
    TALK = "talk"
    INFORM = "inform"
    DELIVER = "deliver"
    TAKE_BACK = "take_back"
    INVESTIGATE = "investigate"
    RESOLVE = "resolve"
    RESPOND = "respond"
    APPROVE = "approve"
    CHECK_DECISION = "check_decision"
    COMMUNICATE_DECISION = "communicate_decision"
    ACCEPT = "accept"
    DISAGREE = "disagree"
    ESCALATE = "escalate"
    OFFER_RECOURSE = "offer_recourse"
    NOTIFY_EXTERNAL = "notify_external"
    CONCLUDE_EXTERNAL = "conclude_external"
    REMEDY_DONE = "remedy_done"
    REMEDY_LATE = "remedy_late"
    VERIFY = "verify"
    EXTEND = "extend"
    REDATE = "redate"
    CLOSE = "close"
    LAPSE = "lapse"
    WITHDRAW = "withdraw"
    REOPEN = "reopen"
    NOT_ACCEPT = "not_accept"
    LINK = "link"
    MERGE = "merge"
    BIND = "bind"
    RESTRICT = "restrict"
    UNRESTRICT = "unrestrict"
    DECLARE_CONFLICT = "declare_conflict"
    HOLD = "hold"
    RELEASE = "release"
    RECEIPT = "receipt"
    END_DANGER = "end_danger"
    SURVEY = "survey"
    DRAW_REVIEW = "draw_review"
    REVIEW_CASE = "review_case"
    ERASE = "erase"
    RESTRICT_PROCESSING = "restrict_processing"
    RESUME_PROCESSING = "resume_processing"
    WARN_CONDUCT = "warn_conduct"
    LIMIT_CONTACT = "limit_contact"
    APPEAL_LIMIT = "appeal_limit"
    REVIEW_LIMIT = "review_limit"


class Priority(StrEnum):
    """How soon, from the matrix of severity and recurrence and the raise rules (docs/domain.md, section 4)."""

    P1 = "P1"
    P2 = "P2"
    P3 = "P3"
    P4 = "P4"


class Safety(IntEnum):
    """Is anybody in danger?"""

    NONE = 0
    POSSIBLE = 1
    LIKELY = 2
    PRESENT = 3


class Category(StrEnum):
    """Annex D's problem codes, regrouped, and four of our own."""

    SUPPLY = "supply"
    SERVICE = "service"
    GOODS = "goods"
    GUARANTEE = "guarantee"
    REFUSAL = "refusal"
    INFORMATION = "information"
    MONEY = "money"
    CONTRACT = "contract"
    COMPENSATION = "compensation"
    HANDLING = "handling"
    STAFF_CONDUCT = "staff_conduct"
    PRIVACY = "privacy"
    SAFETY = "safety"
    DISCRIMINATION = "discrimination"
    OTHER = "other"


#: A complaint of these categories is worked in the restricted place until a manager releases it (4.7, C).
RESTRICTING: frozenset[str] = frozenset({Category.STAFF_CONDUCT, Category.HANDLING, Category.DISCRIMINATION})


class ContactKind(StrEnum):
    """What the message is (clause 3); doubt means complaint."""

    COMPLAINT = "complaint"
    FAULT_REPORT = "fault_report"
    ENQUIRY = "enquiry"
    PRAISE = "praise"
    SUGGESTION = "suggestion"
    REQUEST = "request"


class Finding(StrEnum):
    """What we found on one issue (7.8)."""

    UPHELD = "upheld"
    PARTLY = "partly"
    NOT_UPHELD = "not_upheld"
    NO_FINDING = "no_finding"


class Remedy(StrEnum):
    """What puts it right (Annexes D and E)."""

    DELIVER = "deliver"
    REPAIR = "repair"
    REPLACE = "replace"
    HONOUR = "honour"
    CANCEL = "cancel"
    CONCLUDE = "conclude"
    REFUND = "refund"
    PRICE_CUT = "price_cut"
    COMPENSATION = "compensation"
    PAYMENT_PLAN = "payment_plan"
    HELP = "help"
    VALUATION = "valuation"
    INFORMATION = "information"
    REFERRAL = "referral"
    APOLOGY = "apology"
    GOODWILL = "goodwill"
    CHANGE = "change"
    OTHER = "other"


#: The remedy that is meant by an answer to "what would put this right?".
REMEDY_ASKED_FOR: Mapping[str, Remedy] = {
    "repair": Remedy.REPAIR,
    "replacement": Remedy.REPLACE,
    "money_back": Remedy.REFUND,
    "compensation": Remedy.COMPENSATION,
    "explanation": Remedy.INFORMATION,
    "apology": Remedy.APOLOGY,
    "a_change": Remedy.CHANGE,
}


class CauseClass(StrEnum):
    """How far the cause reaches (8.2)."""

    SINGLE = "single"
    RECURRING = "recurring"
    SYSTEMIC = "systemic"


class CloseCode(StrEnum):
    """Why handling stopped; the last six are counted apart and never as accepted."""

    RESOLVED = "resolved"
    EXHAUSTED = "exhausted"
    ANSWERED_NO_REPLY = "answered_no_reply"
    LAPSED = "lapsed"
    WITHDRAWN = "withdrawn"
    NOT_ACCEPTED = "not_accepted"
    NOT_COMPLAINT = "not_complaint"
    MERGED = "merged"


WITH_DECISION: frozenset[CloseCode] = frozenset(
    {CloseCode.RESOLVED, CloseCode.EXHAUSTED, CloseCode.ANSWERED_NO_REPLY, CloseCode.LAPSED}
)


class Target(StrEnum):
    """What a due time is for (7.3, docs/domain.md, section 4).

    `act_by` is the first work on a complaint that was raised late, counted from when it was logged;
    `reply` is the answer to a question of the complainant; `waiting` is until when our own question waits;
    `data_request` is the answer to a request about their data; `privacy` is the answer to the part about it;
    `body_reply` is our answer to an outside body that asks whether we take part (1: the longest time for it);
    `subject` is what we owe to staff complained about (0: to be informed, 1: to be informed of the outcome);
    `statement` is a statement that we asked for, by its number; `conduct` is the end of a limit on contact
    (0: its review, 1: an appeal against it, 2: its approval); `close` is the closing after an acceptance.
    """

    ACK = "ack"
    LOOK = "look"
    ACT_BY = "act_by"
    FIRST_ACTION = "first_action"
    UPDATE = "update"
    DECIDE = "decide"
    APPROVE = "approve"
    REMEDY = "remedy"
    VERIFY = "verify"
    REPLY_REMINDER = "reply_reminder"
    LAPSE = "lapse"
    LEGAL = "legal"
    REPLY = "reply"
    WAITING = "waiting"
    DATA_REQUEST = "data_request"
    SUBJECT = "subject"
    PRIVACY = "privacy"
    BODY_REPLY = "body_reply"
    STATEMENT = "statement"
    CONDUCT = "conduct"
    CLOSE = "close"


class Flag(StrEnum):
    """Facts that are independent of the state."""

    RESTRICTED = "restricted"
    SIGNIFICANT = "significant"
    DANGER = "danger"
    WAITING_COMPLAINANT = "waiting_complainant"
    EXTERNAL = "external"
    LEGAL_HOLD = "legal_hold"
    PROCESSING_RESTRICTED = "processing_restricted"
    WITHDRAWN = "withdrawn"
    UNREACHABLE = "unreachable"
    QUESTION_OPEN = "question_open"
    MEDIA_UNHEARD = "media_unheard"
    MINOR = "minor"
    FOR_ANOTHER = "for_another"
    SUPPORT_NEED = "support_need"
    ANONYMOUS = "anonymous"
    NO_CONTACT = "no_contact"
    REMEDY_REFUSED = "remedy_refused"
    ABOUT_HANDLING = "about_handling"
    DATA_REQUEST = "data_request"
