"""The demo's past as plain values: read from a database by `recording`, written into a new one at each start.

Sealed words and keyed hashes are kept open, because each start has a key of its own. What follows from other values
(hash chains, measures, the trees of the search, the journal) is left out and made again.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

from complaints.times import format_time, parse_time
from store import incidents, registers
from store.database.keyring import new_key, place, seal_bytes, unseal_bytes
from store.database.transaction import Tx
from store.outbox.deliveries import message_text_place
from store.people.contacts import point_index
from store.people.identification import normal_form
from store.people.masked_texts import masked_place
from store.proof.hash_chain import (
    GENESIS,
    INSTANCE_CHAIN,
    build_entry,
    commitment,
    event_mac,
    mac_key,
    sha256,
)
from store.proof.received_keys import take_key
from store.record.load import key_place, load_many, text_place
from store.record.measures import measure_cases
from store.record.projections import LISTS
from store.similarity.sketches import TREES, hashes_of, store_hashes
from store.tables import METADATA
from store.tables.column_types import UtcDateTime

Row = dict[str, Any]
#: Rows by table, as JSON has them.
Tables = dict[str, list[Row]]

#: Tables that follow from others, hold the model of this start, or coordinate running processes.
_LEFT_OUT = frozenset({
    "measures", "sketches", "word_hashes", "journal", "journal_heads", "proof_keys", "proof_state", "rulebooks",
    "models", "model_uses", "model_runs", "clock", "leases", "rate_limits",
}) | {table.name for table, *_ in LISTS}  # fmt: skip
#: The leases of obligations, by the clock of a database.
_UNCLAIMED = {"lease_until": 0.0, "wait_until": 0.0}
#: Columns that follow from others.
_DERIVED = {
    "events": frozenset({"entry", "hash", "mac"}),
    "complaints": frozenset({"head"}),
    "incidents": frozenset({"head"}),
    "contact_points": frozenset({"address_index"}),
    "obligations": frozenset(_UNCLAIMED),
}
#: Tables whose rows have a key of their own, and the place to which it is bound.
_KEY_PLACES: Mapping[str, tuple[str, Callable[[Any], str]]] = {
    "people": ("id", lambda person: place("people", person, "key")),
    "complaints": ("ref", key_place),
    "incidents": ("id", incidents.key_place),
}
_BYTES = type(METADATA.tables["messages"].c.sealed.type)
_DAY = type(METADATA.tables["register_entries"].c.due.type)
#: Columns of bytes that are not sealed words.
_MADE = frozenset({"key_wrapped", "address_index", "value_index"})
#: Bytes in one hash of a sketch.
_HASH = 8


class Seal(NamedTuple):
    """Where a sealed column of a row is bound to, and whose key seals it: table and id; None: the instance's."""

    place: str
    owner: tuple[str, Any] | None


def _of_case(row: Row, where: str) -> Seal:
    return Seal(where, ("complaints", row["ref"]))


def _of_person(person: Any, where: str) -> Seal:
    return Seal(where, ("people", person))


@dataclass
class SealedValues:
    """Opens and seals the words of a record; the keys of complaints, people and incidents are in `keys`."""

    tx: Tx
    keys: dict[tuple[str, Any], bytes] = field(default_factory=dict)
    #: The person of each contact point.
    people: dict[int, str] = field(default_factory=dict)

    def wrapped(self, table: str, row: Row) -> bytes:
        """Give the row a new key."""
        column, where = _KEY_PLACES[table]
        key = self.keys[table, row[column]] = new_key()
        return self.tx.keys.wrap(key, where(row[column]))

    def unwrap(self, table: str, row: Row) -> None:
        column, where = _KEY_PLACES[table]
        self.keys[table, row[column]] = self.tx.keys.unwrap(row["key_wrapped"], where(row[column]))

    def open(self, table: str, column: str, row: Row) -> bytes:
        seal, sealed = self._seal_of(table, column, row), row[column]
        if seal.owner is None:
            return self.tx.keys.unseal(sealed, seal.place)
        return unseal_bytes(self.keys[seal.owner], sealed, seal.place)

    def close(self, table: str, column: str, row: Row, data: bytes) -> bytes:
        seal = self._seal_of(table, column, row)
        if seal.owner is None:
            return self.tx.keys.seal(data, seal.place)
        return seal_bytes(self.keys[seal.owner], data, seal.place)

    def _seal_of(self, table: str, column: str, row: Row) -> Seal:
        match table, column:
            case "people", _:
                return _of_person(row["id"], place("people", row["id"], "name"))
            case "contact_points", _:
                return _of_person(row["person_id"], place("contact_points", row["person_id"], "address"))
            case "texts", "masked":
                return _of_case(row, masked_place(row["ref"], row["seq"], row["field"]))
            case "texts", _:
                return _of_case(row, text_place(row["ref"], row["seq"], row["field"]))
            case "messages", _ if row["sealed_with"] == "case":
                return _of_case(row, message_text_place(row["id"]))
            case "messages", _:
                return _of_person(self.people[row["contact_id"]], message_text_place(row["id"]))
            case "identifiers", _:
                return _of_case(row, place("identifiers", row["ref"], row["kind"]))
            case "likenesses", _:
                purpose = next(tree.purpose for tree in TREES if tree.column == column)
                return _of_case(row, place("likenesses", row["ref"], purpose))
            case "incident_words", _:
                where = incidents.words_place(row["incident_id"], row["seq"])
                return Seal(where, ("incidents", row["incident_id"]))
            case "obligations", _:
                where = place("obligations", f"{row['scope']}/{row['key']}", "payload")
                person = self.people.get(row["contact_id"])
                return Seal(where, None) if person is None else _of_person(person, where)
            case "staff", _:
                return Seal(place("staff", row["id"], "name"), None)
            case "register_entries", _:
                return Seal(registers.words_place(row["register_name"], row["number"], row["version"]), None)
        raise KeyError(f"nobody knows how {column} of {table} is sealed: add it here")


# --- read ---


def read_tables(tx: Tx) -> Tables:
    """Every row of the record, with its words open."""
    values = SealedValues(tx)
    tables: Tables = {}
    countries: dict[str, str] = {}
    for table in METADATA.sorted_tables:
        if table.name in _LEFT_OUT:
            continue
        query = table.select().order_by(*table.primary_key.columns)
        rows = [dict(row._mapping) for row in tx.connection.execute(query)]  # noqa: SLF001
        if table.name == "complaints":
            countries = {row["ref"]: row["jurisdiction"] for row in rows}
        if table.name == "received_keys":
            # Those of presses are made with the keys of complaints, which each record has for itself.
            rows = [row for row in rows if not row["key"].startswith("act:")]
        if rows:
            tables[table.name] = [_readable(values, table.name, row, countries) for row in rows]
    tables["events"] = list(_without_models(tables["events"]))
    return tables


def _readable(values: SealedValues, table: str, row: Row, countries: Mapping[str, str]) -> Row:
    if table in _KEY_PLACES:
        values.unwrap(table, row)
    if table == "contact_points":
        values.people[row["id"]] = row["person_id"]
    readable = {
        name: _as_json(values, table, name, row)
        for name, value in row.items()
        if value is not None and name not in _DERIVED.get(table, ()) and name != "key_wrapped"
    }
    if table == "events":
        readable["facts"] = json.loads(row["entry"])["facts"]
    elif table == "received_keys":
        readable["key"] = row["key"].rpartition(" ")[0]
    elif table == "identifiers":
        country = countries[row["ref"]]
        readable["value_index"] = normal_form(row["kind"], readable["sealed"], country)
    return readable


def _as_json(values: SealedValues, table: str, name: str, row: Row) -> Any:
    value = row[name]
    if isinstance(value, datetime):
        return format_time(value)
    if isinstance(value, date):
        return value.isoformat()
    if not isinstance(value, bytes) or (table, name) == ("identifiers", "value_index"):
        return None if isinstance(value, bytes) else value
    opened = values.open(table, name, row)
    return opened.hex() if table == "likenesses" else opened.decode()


def _without_models(events: Iterable[Row]) -> Iterable[Row]:
    """The events without those of a model, which each start trains for itself; later ones of the log move up."""
    seq = 0
    for row in events:
        if row["ref"] != INSTANCE_CHAIN:
            yield row
        elif row["verb"] != "model":
            seq += 1
            yield {**row, "seq": seq}


# --- write ---


def write_tables(tx: Tx, tables: Tables) -> None:
    """Write the rows into an empty record: sealed with new keys, in new chains, with their measures.

    The rulebooks that they name must be there.
    """
    values = SealedValues(tx)
    wrapped = {table: [values.wrapped(table, row) for row in tables.get(table, ())] for table in _KEY_PLACES}
    values.people = {row["id"]: row["person_id"] for row in tables["contact_points"]}
    events, heads = _chained(tx, values, tables)
    for table in METADATA.sorted_tables:
        recorded = tables.get(table.name, ())
        if table.name == "received_keys":
            _take_keys(tx, recorded)
            continue
        if table.name == "likenesses":
            _store_hashes(tx, recorded)
        rows = events if table.name == "events" else list(_stored_rows(tx, values, table, recorded))
        for row, key in zip(rows, wrapped.get(table.name, ()), strict=False):
            row["key_wrapped"] = key
            if table.name != "people":
                row["head"] = heads[_chain_of(table.name, row)]
        if rows:
            tx.add_all(table, rows)
    refs = [row["ref"] for row in tables["complaints"]]
    _write_lists(tx, refs)
    measure_cases(tx, refs)


def _write_lists(tx: Tx, refs: Sequence[str]) -> None:
    """What a complaint has several of, from its events: a holiday of the new weeks moves the due time of a remedy."""
    cases = [file.case for file in load_many(tx, refs)]
    for table, _, rows_of, _ in LISTS:
        rows = [{"ref": case.ref, **row} for case in cases for row in rows_of(case)]
        if rows:
            tx.add_all(table, rows)


def _take_keys(tx: Tx, rows: Iterable[Row]) -> None:
    for row in rows:
        tx.now = parse_time(row["at"])
        take_key(tx, row["key"])


def _stored_rows(tx: Tx, values: SealedValues, table: Any, rows: Iterable[Row]) -> Iterator[Row]:
    """The rows as their table has them."""
    empty: Row = dict.fromkeys(table.columns.keys())
    moments = [column.name for column in table.columns if isinstance(column.type, UtcDateTime)]
    days = [column.name for column in table.columns if isinstance(column.type, _DAY)]
    sealed = [
        column.name
        for column in table.columns
        if isinstance(column.type, _BYTES) and column.name not in _MADE
    ]
    for row in rows:
        stored = empty | row
        for convert, names in ((parse_time, moments), (date.fromisoformat, days)):
            for name in names:
                if stored[name] is not None:
                    stored[name] = convert(stored[name])
        for name in sealed:
            if stored[name] is not None:
                data = bytes.fromhex(stored[name]) if table.name == "likenesses" else stored[name].encode()
                stored[name] = values.close(table.name, name, stored, data)
        if table.name == "contact_points":
            point = row["person_id"], row["channel"], row["address_sealed"]
            stored["address_index"] = point_index(tx, *point)
        elif table.name == "identifiers":
            stored["value_index"] = tx.keys.index(row["kind"], row["value_index"])
        elif table.name == "obligations":
            stored |= _UNCLAIMED
        yield stored


def _chained(tx: Tx, values: SealedValues, tables: Tables) -> tuple[list[Row], dict[str, str]]:
    """The rows of the events with their hash chains, and the newest hash of each chain."""
    words: dict[tuple[str, int], dict[str, str]] = defaultdict(dict)
    for row in tables["texts"]:
        words[row["ref"], row["seq"]][row["field"]] = row["sealed"]
    for row in tables.get("incident_words", ()):
        words[f"{incidents.CHAIN}{row['incident_id']}", row["seq"]] = json.loads(row["sealed"])
    keys = {
        _chain_of(table, {"ref": id_, "id": id_}): key
        for (table, id_), key in values.keys.items()
        if table != "people"
    }
    heads: dict[str, str] = {}
    rows = []
    for row in tables["events"]:
        chain, seq = row["ref"], row["seq"]
        commit = commitment(keys[chain], words[chain, seq]) if words.get((chain, seq)) else None
        entry = build_entry(
            *(chain, seq, row["verb"], row["at"], row["by"], row["role"], row["facts"]),
            commit,
            heads.get(chain, GENESIS),
        )
        hash_ = heads[chain] = sha256(entry)
        mac = event_mac(mac_key(tx), chain, seq, hash_)
        plain = {name: value for name, value in row.items() if name != "facts"}
        rows.append({**plain, "at": parse_time(row["at"]), "entry": entry, "hash": hash_, "mac": mac})
    return rows, heads


def _chain_of(table: str, row: Row) -> str:
    return str(row["ref"]) if table == "complaints" else f"{incidents.CHAIN}{row['id']}"


def _store_hashes(tx: Tx, rows: Iterable[Row]) -> None:
    for tree in TREES:
        several = []
        for row in rows:
            data = bytes.fromhex(row.get(tree.column, ""))
            hashes = [data[start : start + _HASH] for start in range(0, len(data), _HASH)]
            several.append(hashes_of(tx.keys, row["ref"], hashes, at=parse_time(row["at"]), tree=tree))
        store_hashes(tx, several, tree)
