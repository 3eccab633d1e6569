"""What the registers and the log of the desk show for a clause (5, 6, 8)."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from complaints.registers.entries import Entry
from complaints.times import local_time
from complaints.vocabulary import Role
from reports.clauses.evidence import OrganisationFacts, Point, RegisterDemand, fault_if, must, violated


def recorded(demand: RegisterDemand, house: OrganisationFacts, since: datetime | None) -> Iterator[Point]:
    """What counts, what is overdue, and the lack of either; `since` is when the first complaint was received.

    A desk without a complaint older than the period of the demand lacks nothing yet.
    """
    earliest = None if demand.within is None else house.now - timedelta(days=demand.within)
    newest = house.recorded_at.get(demand.event)
    is_found = newest is not None and (earliest is None or newest >= earliest)
    if is_found:
        yield Point(demand.what)
    entries = house.entries.get(demand.register, ())
    for entry in entries:
        counted_at = _counted_at(demand, entry)
        if counted_at is not None and (earliest is None or counted_at >= earliest):
            is_found = True
            yield Point(demand.what, entry=entry.code)
    if demand.in_time:
        today = local_time(house.now, house.rules.calendar.zone).date()
        for entry in entries:
            is_late = entry.is_overdue(today)
            fault = fault_if(demand.in_time, is_late)
            yield Point(demand.in_time, hit=not is_late, fault=fault, entry=entry.code)
    if not is_found and earliest is not None and since is not None and since < earliest:
        yield violated(f"no {demand.what}", days=demand.within)


def _counted_at(demand: RegisterDemand, entry: Entry) -> datetime | None:
    """When the newest act that counts was done on the entry; None if it does not count."""
    if demand.states and entry.state not in demand.states:
        return None
    times = [act.at for act in entry.acts if not demand.acts or act.act in demand.acts]
    return max(times, default=None)


def training(house: OrganisationFacts) -> Iterator[Point]:
    """6.4: a person who handles complaints has a training that has not ended; nothing before the first training."""
    today = local_time(house.now, house.rules.calendar.zone).date()
    trainings = [entry for entry in house.entries.get("training", ()) if entry.is_open]
    trained = {entry.owner for entry in trainings if entry.is_valid(today)}
    for member in sorted(_handling(house) if trainings else ()):
        yield must("people with a valid training", member in trained, member=member)


def attestation(house: OrganisationFacts) -> Iterator[Point]:
    """5.2: staff attest that they have read the policy in force."""
    policies = [entry for entry in house.entries.get("policy", ()) if entry.state == "in_force"]
    members = {period.member for period in house.periods if period.until is None}
    for policy in policies:
        for member in sorted(members):
            is_reader = member in policy.readers
            yield Point("staff who attested the policy in force", hit=is_reader, entry=policy.code)


def workload(open_complaints: int, house: OrganisationFacts) -> Iterator[Point]:
    """6.4, 2018: the open complaints for each person who handles them."""
    if people := _handling(house):
        measure = open_complaints / len(people)
        yield Point("open complaints for each person who handles them", measure=measure)


def _handling(house: OrganisationFacts) -> frozenset[str]:
    return house.holders(Role.HANDLER) | house.holders(Role.MANAGER)
