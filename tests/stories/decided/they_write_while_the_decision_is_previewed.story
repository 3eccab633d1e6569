# A new message comes while the decision is looked over: it must be read before anything is decided.
Anna [en]: The engineer did not come on three days on which I waited at home.
Anna presses Done
Anna: 12 Mill Lane, last week
Anna presses Apology
Anna presses Send
Clock +1 minute
Alice presses Assess on Anna's card
Alice fills category=service severity=2 safety=0 complexity=1 reach=1 recurrence=2 immediate_needed=no
Alice submits
Alice presses Investigate on Anna's card
Alice fills evidence="complainant_heard|records_checked"
Alice submits
Alice presses Decide on Anna's card
Alice fills issues.0.finding=upheld issues.0.reasons="The visits were not planned." remedies.0.type=apology remedies.0.text="We are sorry" others_affected=none root_cause="No engineer was planned" cause_class=single
Alice submits
Alice sees: The visits were not planned
Anna: He came on a fourth day and broke the gate.
Alice is refused: new message at
Alice goes back
Alice goes back
Bot never told Anna: The visits were not planned
Record of Anna: state=investigating
Alice presses Open on Anna's card
Alice sees: broke the gate
Alice goes back
Alice presses Decide on Anna's card
Alice fills issues.0.finding=upheld issues.0.reasons="The visits were not planned, and the gate was broken by us." remedies.0.type=repair remedies.0.text="We repair the gate" others_affected=none root_cause="No engineer was planned" cause_class=single
Alice submits
Alice submits
Bot to Anna: the gate was broken by us
Record of Anna: state=remedying
