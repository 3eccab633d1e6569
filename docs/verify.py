#!/usr/bin/env python3
"""Check a receipt, a case file (JSON) or a checkpoint of Amends without Amends: Python 3.9 and nothing else.

    python3 verify.py FILE... --key NAME+ID+KEY [--key ...]

A receipt is what a complainant got, or `amends prove REF`. A case file is `amends case show REF --json`, or the JSON
in its PDF; give it together with a receipt of its last event, because nothing in it is signed. --key is a key of the
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
    h = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % Q
    left, right = times(s, BASE), add(r, times(h, a))
    return s < Q and all((left[i] * right[2] - right[i] * left[2]) % P == 0 for i in (0, 1))

# --- signed notes of C2SP, and the Merkle tree of RFC 6962 ---
def check_note(note, keys):
    """The text of a note; prints who signed it. Raises ValueError if no signature of a given key fits."""
    body, _, signatures = note.rpartition("\n\n")
    body, trusted = body + "\n", []
    for line in signatures.splitlines():
        name, data = line[2:].split(" ")[0], base64.b64decode(line.split(" ")[2])
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
    leaf = json.loads(receipt["leaf"])
    print(f"Receipt of {leaf['owner']}: event {leaf['seq']}, hash {leaf['events']}")
    if not receipt.get("promise") and not receipt.get("checkpoint"):
        raise ValueError("it has no signature: neither a promise nor a checkpoint")
    if receipt.get("promise"):
        body = check_note(receipt["promise"], keys)
        if body != f"{receipt['origin']}\nreceipt\n{receipt['leaf']}\n":
            raise ValueError("the promise is of something else")
    if receipt.get("checkpoint") is None:
        print("  A promise: no checkpoint covers it yet. Ask again for the proof.")
        return leaf
    origin, size, root = check_note(receipt["checkpoint"], keys).split("\n")[:3]
    value = hashlib.sha256(b"\x00" + receipt["leaf"].encode()).digest()
    computed = root_of(receipt["index"], int(size), value, base64.b64decode(receipt["proof"]))
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

def check_case(case, leaves):
    """Check the chain, the words, the decisions and the state, and that a signed receipt covers the last event."""
    prev, key, words, entries = "0" * 64, case.get("commitment_key"), {}, {}
    for text in case["texts"]:
        words.setdefault(text["seq"], {})[text["field"]] = text["text"]
    is_erased = any(event.get("verb") == "erase" for event in case["events"])
    for number, event in enumerate(case["events"], start=1):
        prev, before = event["hash"], prev
        if event.get("withheld"):  # an answer to the survey; the next entry must follow its hash
            print(f"  What event {number} says is withheld, and not proved.")
            continue
        entry = entries[number] = json.loads(event["entry"])
        if hashlib.sha256(event["entry"].encode()).hexdigest() != event["hash"] or entry["prev"] != before:
            raise ValueError(f"event {number} does not follow the one before")
        shown = (case["ref"], number, event["at"], event["verb"], event["by"], event["role"], event["facts"])
        if shown != tuple(entry[name] for name in ("case", "seq", "at", "verb", "actor", "role", "facts")):
            raise ValueError(f"event {number} is shown otherwise than it was recorded")
        if number not in words and (is_erased or entry["role"] == "model"):
            continue  # erased, or the reasons of a model, which no file contains
        data = json.dumps(words.get(number, {}), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        digest = hmac.new(bytes.fromhex(key or ""), data.encode(), "sha256").hexdigest()
        if (digest if number in words else None) != entry["commit"]:
            raise ValueError(f"the words of event {number} are not those that were recorded")
    if words.keys() - entries.keys():
        raise ValueError("there are words without an event")
    check_summary(case, entries, words)
    check_receipts(case, entries, leaves)
    print(f"Case {case['ref']}: {len(case['events'])} events, head {prev}. Words, decisions and state fit.")
    print("  Not checked: everything in the file beside events, texts, decisions, description and state.")
    if is_erased:
        print("  The words were erased.")

def check_summary(case, entries, words):
    """The state is one to which the events lead, and each communicated decision is shown as it was recorded."""
    states, newest, decided = {"received"}, None, set()
    for number, entry in entries.items():
        states = {after for state in states for after in states_after(state, entry["verb"])}
        states = {"closed"} if number == 1 and "imported" in entry["facts"] else states
        newest = number if entry["verb"] in ("resolve", "respond") else newest
        decided |= {newest} if entry["verb"] == "communicate_decision" and newest else set()
    if case["state"] not in states:
        raise ValueError(f"the events do not lead to the state '{case['state']}'")
    own = [decision for decision in case["decisions"] if not decision["external"]]
    if decided - {decision["seq"] for decision in own}:
        raise ValueError(f"the decision of event {min(decided)} is missing")
    for decision in own:
        entry = entries.get(decision["seq"], {"verb": None})
        findings = [finding["finding"] for finding in decision["findings"]]
        shown = (decision["by"], findings, decision["words"])
        if entry["verb"] not in ("resolve", "respond") or shown != (
            entry["actor"], entry["facts"]["findings"], words.get(decision["seq"], {})
        ):
            raise ValueError(f"the decision of event {decision['seq']} is shown otherwise than it was recorded")
    texts = [text["text"] for text in case["texts"] if text["field"] == "description"] or [""]
    parts = {part for text in texts for part in text.split("\n\n")}
    if not set((case["description"] or "").split("\n\n")) <= parts:
        raise ValueError("the description is not what was written")

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

def main(arguments):
    keys = [arguments[n + 1] for n, word in enumerate(arguments[:-1]) if word == "--key"]
    files = [word for n, word in enumerate(arguments) if word != "--key" and arguments[n - 1 : n] != ["--key"]]
    cases, leaves = [], []
    for file in files or sys.exit(__doc__):
        content = pathlib.Path(file).read_text(encoding="utf-8")
        try:
            if not content.startswith("{"):
                print(f"Checkpoint: {check_note(content, keys).split(chr(10))[1]} entries")
                continue
            data = json.loads(content)
            leaves.append(check_receipt(data, keys)) if "leaf" in data else cases.append((file, data))
        except (ValueError, KeyError, IndexError, TypeError) as error:
            sys.exit(f"{file}: NOT proved: {error}")
    for file, case in cases:  # after the receipts, in whatever order they were given
        try:
            check_case(case, leaves)
        except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
            sys.exit(f"{file}: NOT proved: {error}")

if __name__ == "__main__":
    main(sys.argv[1:])
