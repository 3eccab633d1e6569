#!/usr/bin/env python3
"""Check a receipt, a case file (JSON) or a checkpoint of Amends without Amends: Python 3.9 and nothing else.

    python3 verify.py FILE... --key NAME+ID+KEY [--key ...]

A receipt is what a complainant got, or `amends prove REF`. A case file is `amends case show REF --json`, or the JSON
in its PDF. Give both together: a receipt alone does not say what happened, and nothing in a case file is signed, so
that it is refused without a receipt of its last event. The answer says what is proved, what is not, and what is not
checked; the exit code is 1 if anything is refused. --key is a key of the
log or of a witness that you trust (`amends db checkpoint`, `amends witness`).
"""

# fmt: off
import base64
import hashlib
import hmac
import json
import pathlib
import sys

# --- Ed25519 (RFC 8032), only the check of a signature ---
P, Q = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)

def add(a, b):
    x1, y1, z1, t1 = a
    x2, y2, z2, t2 = b
    e, f = (y1 - x1) * (y2 - x2) % P, (y1 + x1) * (y2 + x2) % P
    g, h = 2 * t1 * t2 * D % P, 2 * z1 * z2 % P
    e, f, g, h = f - e, h - g, h + g, f + e
    return e * f % P, g * h % P, f * g % P, e * h % P

def times(scalar, point):
    result = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = add(result, point)
        point, scalar = add(point, point), scalar >> 1
    return result

def point_of(data):
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if y >= P or (x * x - square) % P or (x == 0 and sign):
        raise ValueError("no point of the curve")
    x = x if x & 1 == sign else P - x
    return x, y, 1, x * y % P

BASE = point_of((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))

def is_signed(public, message, signature):
    try:
        a, r, s = point_of(public), point_of(signature[:32]), int.from_bytes(signature[32:], "little")
    except ValueError:
        return False
    if len(signature) != 64:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % Q
    left, right = times(s, BASE), add(r, times(h, a))
    return s < Q and all((left[i] * right[2] - right[i] * left[2]) % P == 0 for i in (0, 1))

# --- JSON and base64 that can be read in one way only ---
def load(content):
    """Parse JSON; a name that occurs twice would show one program this and another program that."""
    def unique(pairs):
        if len(dict(pairs)) < len(pairs):
            raise ValueError("a name occurs twice in it")
        return dict(pairs)
    return json.loads(content, object_pairs_hook=unique)

def is_same(one, other):
    """Equal in value and type: 1, 1.0 and true differ."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)

def require_names(what, data, names, optional=()):
    """Nothing is missing in this object, and nothing was added to it."""
    if not isinstance(data, dict) or not set(names) <= data.keys() <= {*names, *optional}:
        raise ValueError(f"{what} is incomplete, or something was added to it")

def bytes_of(text):
    data = base64.b64decode(text, validate=True)
    if base64.b64encode(data).decode() != text:
        raise ValueError("a value in base64 was changed")
    return data

# --- signed notes of C2SP, and the Merkle tree of RFC 6962 ---
def check_note(note, keys):
    """The text of a note; prints who signed it. Raises ValueError if no signature of a given key fits."""
    body, _, signatures = note.rpartition("\n\n")
    body, trusted = body + "\n", []
    if not note.endswith("\n"):
        raise ValueError("the end of the signatures is missing")
    for line in signatures.split("\n")[:-1]:
        dash, name, data = line.split(" ")
        data = bytes_of(data)
        if dash != "\u2014":
            raise ValueError("a line of the signatures was changed")
        for key in keys:
            key_name, key_id, encoded = key.split("+", 2)
            raw = base64.b64decode(encoded)
            if (key_name, bytes.fromhex(key_id)) != (name, data[:4]):
                continue
            message, signature = body, data[4:]
            if raw[0] == 4:  # a witness signs its time too
                message = f"cosignature/v1\ntime {int.from_bytes(data[4:12], 'big')}\n{body}"
                signature = data[12:]
            if not is_signed(raw[1:], message.encode(), signature):
                raise ValueError(f"the signature of {name} does not fit")
            trusted.append(name)
        print(f"  signed by {name}{'' if name in trusted else ' (not checked: give its --key)'}")
    if not trusted:
        raise ValueError("none of the given keys signed it" if keys else "nothing is trusted without a --key")
    return body

def root_of(index, size, value, proof):
    """The root that an inclusion proof leads to, 32 bytes a step."""
    last = size - 1
    for start in range(0, len(proof), 32):
        sibling, is_right = proof[start : start + 32], index % 2 or index == last
        pair = sibling + value if is_right else value + sibling
        value = hashlib.sha256(b"\x01" + pair).digest()
        while is_right and index and not index % 2:
            index, last = index // 2, last // 2
        index, last = index // 2, last // 2
    return value if last == 0 else None

def check_receipt(receipt, keys):
    proof = ("index", "proof", "checkpoint")
    names = ("format", "origin", "leaf", "promise")
    require_names("the receipt", receipt, names + proof if receipt.keys() & set(proof) else names)
    if receipt["format"] != "amends-receipt-1":
        raise ValueError("its format is not known")
    leaf = load(receipt["leaf"])
    print(f"Receipt of {leaf['owner']}: event {leaf['seq']}, hash {leaf['events']}")
    if receipt["promise"] is None and "checkpoint" not in receipt:
        raise ValueError("it has no signature: neither a promise nor a checkpoint")
    if receipt["promise"] is not None:
        body = check_note(receipt["promise"], keys)
        if body != f"{receipt['origin']}\nreceipt\n{receipt['leaf']}\n":
            raise ValueError("the promise is of something else")
    print("  Not proved by a receipt alone: what happened. Give the case file in the same call.")
    if "checkpoint" not in receipt:
        print("  A promise: no checkpoint covers it yet. Ask again for the proof.")
        return leaf
    origin, size, root = check_note(receipt["checkpoint"], keys).split("\n")[:3]
    value = hashlib.sha256(b"\x00" + receipt["leaf"].encode()).digest()
    if type(receipt["index"]) is not int or not 0 <= receipt["index"] < int(size):
        raise ValueError("the index is none of the checkpoint's entries")
    computed = root_of(receipt["index"], int(size), value, bytes_of(receipt["proof"]))
    if origin != receipt["origin"] or computed != base64.b64decode(root):
        raise ValueError("the proof does not lead to the checkpoint")
    print(f"  Entry {receipt['index']} of the log, which had {size} entries at its checkpoint.")
    return leaf

# --- case files ---
# For the acts that change the state: from these states ("*": all) to one of these ("=": it may stay).
MOVES = {
    "assess": "received > assessed",
    "take_back": "* > received assessed investigating decided remedying disagreed escalated recourse_offered closed",
    "investigate": "received assessed escalated > investigating",
    "resolve": "assessed investigating > decided =",
    "respond": "assessed investigating escalated > decided =",
    "approve": "received > closed =; investigating > decided closed =;"
               "assessed escalated > decided investigating closed =",
    "check_decision": "investigating > decided =; assessed escalated > decided investigating =",
    "communicate_decision": "decided > remedying =",
    "accept": "decided > remedying =",
    "disagree": "decided remedying > escalated disagreed",
    "escalate": "received assessed investigating > escalated",
    "offer_recourse": "disagreed > recourse_offered",
    "conclude_external": "* > remedying =",
    "close": "decided remedying recourse_offered > closed",
    "lapse": "decided remedying > closed",
    "withdraw": "* > closed =",
    "reopen": "closed > investigating",
    "not_accept": "received assessed investigating escalated > closed",
    "merge": "* > closed",
}

def states_after(state, verb):
    """The states to which this act may lead from this one."""
    for way in MOVES.get(verb, "").split(";"):
        sources, _, targets = way.partition(">")
        if state in sources.split() or "*" in sources:
            return targets.replace("=", state).split()
    return [state]

# Acts that record a message of the complainant.
MESSAGES = ("add", "answer", "receive")
ORIGIN = ("source", "replaces", "translates")

def words_of(texts):
    """The words of each event, by its number and their field."""
    words = {}
    for text in texts:
        require_names("a text", text, ("field", "seq", "text", "at", "source", "replaces", "translates"))
        if text["field"] in words.setdefault(text["seq"], {}):
            raise ValueError(f"a text of event {text['seq']} is there twice")
        words[text["seq"]][text["field"]] = text["text"]
    return words

def check_texts(texts, entries):
    """The texts are in the order of their events, with their time and origin."""
    if texts != sorted(texts, key=lambda text: text["seq"]):
        raise ValueError("the texts are in another order than their events")
    for text in texts:
        entry = entries[text["seq"]]
        origin = [text["seq"], entry["at"], *(entry["facts"].get(name) for name in ORIGIN)]
        if not is_same([entry["seq"], *(text[name] for name in ("at", *ORIGIN))], origin):
            raise ValueError(f"a text of event {text['seq']} is shown otherwise than it was recorded")

def check_case(case, leaves):
    """Check the chain, the words, the decisions and the state, and that a signed receipt covers the last event."""
    prev, key, words, entries = "0" * 64, case.get("commitment_key"), words_of(case["texts"]), {}
    is_erased = any(event.get("verb") == "erase" for event in case["events"])
    for number, event in enumerate(case["events"], start=1):
        prev, before = event["hash"], prev
        if "withheld" in event:  # an answer to the survey; the next entry must follow its hash
            require_names(f"event {number}", event, ("seq", "hash", "withheld"))
            surveyed = any(entry["verb"] == "survey" for entry in entries.values())
            if not is_same((event["seq"], event["withheld"]), (number, True)) or not surveyed:
                raise ValueError(f"event {number} is withheld, and is no answer to a survey")
            print(f"  What event {number} says is withheld, and not proved.")
            continue
        require_names(
            f"event {number}", event, ("seq", "at", "verb", "by", "role", "clause", "facts", "hash", "entry")
        )
        entry = entries[number] = load(event["entry"])
        if hashlib.sha256(event["entry"].encode()).hexdigest() != event["hash"] or entry["prev"] != before:
            raise ValueError(f"event {number} does not follow the one before")
        shown = [case["ref"], number, *(event[name] for name in ("seq", "at", "verb", "by", "role", "facts"))]
        recorded = ("case", "seq", "seq", "at", "verb", "actor", "role", "facts")
        if not is_same(shown, [entry[name] for name in recorded]):
            raise ValueError(f"event {number} is shown otherwise than it was recorded")
        if number not in words and (is_erased or entry["role"] == "model"):
            continue  # erased, or the reasons of a model, which no file contains
        data = json.dumps(words.get(number, {}), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        digest = hmac.new(bytes.fromhex(key or ""), data.encode(), "sha256").hexdigest()
        if (digest if number in words else None) != entry["commit"]:
            raise ValueError(f"the words of event {number} are not those that were recorded")
    if words.keys() - entries.keys():
        raise ValueError("there are words without an event")
    check_texts(case["texts"], entries)
    states = check_summary(case, entries, words)
    check_receipts(case, entries, leaves)
    print(f"Case {case['ref']}: {len(case['events'])} events, head {prev}.")
    print("  Proved: who did what and when, the words, the description and the decisions that are shown.")
    if len(states) == 1 and len(entries) == len(case["events"]):
        print(f"  Proved: after these events it is in the state '{case['state']}'.")
    else:
        print(f"  Not proved: the state '{case['state']}'. The events allow: {', '.join(sorted(states))}.")
    print("  Not proved: what happened after the receipt, and whether what was recorded is true.")
    proved = {"ref", "events", "texts", "decisions", "description", "state", "commitment_key"}
    print(f"  Not checked: clauses of events, and {', '.join(sorted(case.keys() - proved))}.")
    if is_erased:
        print("  The words were erased.")

def check_summary(case, entries, words):
    """The states to which the events lead. The state, each decision and the description fit the events."""
    states, newest, decided = {"received"}, None, set()
    for number, entry in entries.items():
        states = {after for state in states for after in states_after(state, entry["verb"])}
        if entry["verb"] == "disagree":  # to the next level, or outside
            states &= {"disagreed" if entry["facts"].get("to_level") is None else "escalated"}
        states = {"closed"} if number == 1 and "imported" in entry["facts"] else states
        newest = number if entry["verb"] in ("resolve", "respond") else newest
        decided |= {newest} if entry["verb"] == "communicate_decision" and newest else set()
    if case["state"] not in states:
        raise ValueError(f"the events do not lead to the state '{case['state']}'")
    shown = [decision["seq"] for decision in case["decisions"]]
    own = {decision["seq"] for decision in case["decisions"] if decision["external"] is False}
    if decided - own:
        raise ValueError(f"the decision of event {min(decided - own)} is missing")
    if shown != sorted(set(shown)):
        raise ValueError("the decisions are in another order than their events")
    for decision in case["decisions"]:
        seq = decision["seq"]
        check = check_own if decision["external"] is False else check_outside
        if type(seq) is not int or seq not in entries or not check(decision, entries, words.get(seq, {})):
            raise ValueError(f"the decision of event {seq} is shown otherwise than it was recorded")
    if not is_same(case["description"], newest_description(case["texts"], entries)):
        raise ValueError("the description is not what was written")
    return states

def check_own(decision, entries, words):
    """Whether a decision of the organisation is the one of its event."""
    require_names("a decision", decision, (
        "level", "seq", "external", "by", "at", "short", "findings", "cause_class", "others_affected",
        "needs_approval", "approved_by", "communicated_at", "words",
    ))
    entry = entries[decision["seq"]]
    facts, later = entry["facts"], [entries[n] for n in entries if n > decision["seq"]]
    if entry["verb"] not in ("resolve", "respond"):
        return False
    agreed = [(e["at"], e["actor"] if e["verb"] == "approve" else None) for e in later
              if e["verb"] in ("approve", "check_decision") and e["facts"].get("agreed") == "yes"]
    communicated = [e["facts"].get("told_at", e["at"]) for e in later
                    if e["verb"] in ("communicate_decision", "accept", "disagree")]
    is_short = entry["verb"] == "resolve"
    findings = [{"finding": finding, "reasons": words.get(f"issues.{n}.reasons")}
                for n, finding in enumerate(facts["findings"])]
    expected = {
        "level": facts.get("level", decision["level"]), "by": entry["actor"], "short": is_short,
        "findings": findings, "cause_class": facts["cause_class"], "others_affected": facts["others_affected"],
        "needs_approval": not is_short and bool(facts.get("needs_approval")), "words": words,
    }
    return (
        all(is_same(decision[name], value) for name, value in expected.items())
        and type(decision["level"]) is int
        and (decision["at"], decision["approved_by"]) in [(entry["at"], None), *agreed]
        and decision["communicated_at"] in (communicated or [None])
    )

def check_outside(decision, entries, words):
    """Whether a decision of an outside body is the one of its event."""
    require_names("a decision", decision, (
        "level", "seq", "external", "body", "by", "at", "overturned", "complainant_accepts", "comply_by",
        "findings", "words",
    ))
    entry, facts = entries[decision["seq"]], entries[decision["seq"]]["facts"]
    overturned = facts.get("overturned")
    expected = {
        "external": True, "body": words.get("body"), "by": entry["actor"], "at": entry["at"],
        "overturned": None if overturned is None else overturned == "yes",
        "complainant_accepts": False if facts.get("complainant_accepts") == "no" else None,
        "comply_by": facts.get("comply_by"), "findings": [], "words": words,
    }
    return entry["verb"] == "conclude_external" and type(decision["level"]) is int and all(
        is_same(decision[name], value) for name, value in expected.items()
    )

def newest_description(texts, entries):
    """The complainant's description in its newest version; parts are joined by blank lines."""
    own = [text for text in texts if text["field"] == "description" and is_of_complainant(entries[text["seq"]])]
    replaced, first = {text["replaces"] for text in own}, {}
    for text in own:
        first[text["seq"]] = first.get(text["replaces"], text["seq"])
    newest = sorted((text for text in own if text["seq"] not in replaced), key=lambda text: first[text["seq"]])
    return "\n\n".join(text["text"] for text in newest) if newest else None

def is_of_complainant(entry):
    is_translation = entry["facts"].get("kind") == "translation"
    return (entry["role"] == "complainant" or entry["verb"] in MESSAGES) and not is_translation

def check_receipts(case, entries, leaves):
    """Each receipt of the case names an event of the file, and one covers the last (the survey may follow)."""
    own, events = [leaf for leaf in leaves if leaf["owner"] == case["ref"]], case["events"]
    for leaf in own:
        if leaf["seq"] > len(events):
            raise ValueError(f"its last events are missing: a receipt names event {leaf['seq']}")
        if events[leaf["seq"] - 1]["hash"] != leaf["events"]:
            raise ValueError(f"event {leaf['seq']} is another than in the receipt")
    covered = max((leaf["seq"] for leaf in own), default=0)
    rest = [n for n in range(covered + 1, len(events) + 1) if n not in entries or entries[n]["verb"] != "survey"]
    if not own or rest:
        first = "it" if not own else f"event {rest[0]} and what follows"
        raise ValueError(f"{first} is not signed: give a signed receipt of its last event too")

ERRORS = (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError, OSError)

def main(arguments):
    keys = [arguments[n + 1] for n, word in enumerate(arguments[:-1]) if word == "--key"]
    files = [word for n, word in enumerate(arguments) if word != "--key" and arguments[n - 1 : n] != ["--key"]]
    cases, leaves = [], []
    for file in files or sys.exit(__doc__):
        try:
            content = pathlib.Path(file).read_text(encoding="utf-8")
            if not content.startswith("{"):
                print(f"Checkpoint: {check_note(content, keys).split(chr(10))[1]} entries")
                continue
            data = load(content)
            leaves.append(check_receipt(data, keys)) if "leaf" in data else cases.append((file, data))
        except ERRORS as error:
            sys.exit(f"{file}: NOT proved: {error}")
    for file, case in cases:  # after the receipts, in whatever order they were given
        try:
            check_case(case, leaves)
        except ERRORS as error:
            sys.exit(f"{file}: NOT proved: {error}")
    foreign = {leaf["owner"] for leaf in leaves} - {case["ref"] for _, case in cases}
    if cases and foreign:
        sys.exit(f"NOT proved: a receipt is of another complaint: {min(foreign)}")

if __name__ == "__main__":
    main(sys.argv[1:])
