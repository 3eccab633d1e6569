# A level 2 investigation in several acts: evidence, a statement that comes late, a finding that goes into the decision.
Anna [en]: You billed me twice for the same meter and then sent a debt collector to my door.
Anna presses Done
Anna: 12 Mill Lane, in October
Anna presses Money back
Anna presses Send
Clock +30 seconds
Alice presses Assess on Anna's card
Alice fills category=money severity=3 safety=0 complexity=2 reach=1 recurrence=2 immediate_needed=no
Alice submits
Alice presses Investigate on Anna's card
Alice sees: Investigation, level 2
Alice sees: You billed me twice
Alice fills evidence="complainant_heard|rule_or_contract" items.0.step=records_checked items.0.shows="Two bills carry one reading." items.0.from_whom="The billing system" items.0.dated=2026-10-20 statements.0.of_whom="Kerr and Lowe, collectors" statements.0.inside=no statements.0.due_on=2026-11-26
Alice submits
Alice presses Investigate on Anna's card
Alice fills statements.0.of_whom="The meter reader" statements.0.inside=yes statements.0.due_on=2026-11-27
Alice submits
Clock +1 week
Alice presses Investigate on Anna's card
Alice sees: Kerr and Lowe, collectors
Alice fills received.0.received_on=2026-11-30 received.0.says="We were given both bills." received.1.not_needed="He left in summer." items.0.step=staff_statement items.0.shows="The clerk entered it twice." findings.0.finding=upheld findings.0.happened="One reading was billed twice and passed on." findings.0.basis="1|new"
Alice submits
Alice presses Open on Anna's card
Alice sees: Issue 1: Upheld; evidence: 1, 2, 3
Alice sees: Statement 2 from The meter reader: no longer needed
Alice goes back
Alice presses Decide on Anna's card
Alice sees: not on record yet: Similar complaints were compared
Alice fills remedies.0.type=apology remedies.0.text="We are sorry." others_affected=none root_cause="Entered twice" cause_class=single
Alice submits
Alice sees: One reading was billed twice and passed on.
