# Refused, told of the outside, closed as exhausted; then the ombudsman decides otherwise, and that ranks above ours.
Anna [en]: You refused to repair my boiler although the guarantee runs until next year.
Anna presses Done
Anna: Boiler bought in March, invoice 5510
Anna presses Repair
Anna presses Send
Clock +30 seconds
Alice presses Assess on Anna's card
Alice fills category=guarantee severity=2 safety=0 complexity=1 reach=1 recurrence=2 immediate_needed=no
Alice submits
Alice presses Investigate on Anna's card
Alice fills evidence="complainant_heard|records_checked"
Alice submits
Alice presses Decide on Anna's card
Alice fills issues.0.finding=not_upheld issues.0.reasons="The guarantee does not cover limescale." others_affected=none root_cause="Guarantee terms" cause_class=single
Alice submits
Alice submits
Anna presses I disagree
Mona presses Assess on Anna's card
Mona fills category=guarantee severity=2 safety=0 complexity=1 reach=1 recurrence=2 immediate_needed=no
Mona submits
Mona presses Investigate on Anna's card
Mona fills evidence="complainant_heard|records_checked"
Mona submits
Mona presses Decide on Anna's card
Mona fills issues.0.finding=not_upheld issues.0.reasons="The terms were explained at the sale." others_affected=none root_cause="Guarantee terms" cause_class=single
Mona submits
Mona submits
Anna presses I disagree
Bot to Anna: We have no further review ourselves
Record of Anna: state=recourse_offered
# While the ombudsman looks at it, it is not closed.
Mona presses Outside body on Anna's card
Mona fills body="Consumer ombudsman" event=notified external_ref=OMB-77
Mona submits
Mona presses Outside body on Anna's card
Mona fills body="Consumer ombudsman" event=provisional outcome="Leans towards us."
Mona submits
Mona presses Outside body on Anna's card
Mona fills body="Consumer ombudsman" event=final outcome="Our decision stands." overturned=no
Mona submits
Mona submits
Bot to Anna: Consumer ombudsman has decided
Record of Anna: state=recourse_offered capa_ids=[]
Mona presses Close on Anna's card
Mona fills root_cause="Guarantee terms" cause_class=single
Mona submits
Mona submits
Record of Anna: state=closed close_code=exhausted
# A court sees it otherwise, months later: closed or not, that ranks above ours.
Clock +30 days
Mona presses Outside body on Anna's card
Mona fills body="County court" event=final outcome="Repair the boiler free of charge." comply_by=today+14
Mona submits
Mona submits
Bot to Anna: County court has decided
Bot to Anna: Repair the boiler free of charge
Bot to Anna: ranks above ours
Record of Anna: state=remedying capa_ids=[1] close_code=none
Alice sees: an outside body decided differently
Mona sees: an outside body decided differently
# What it orders is done and checked like any promise, and told.
Mona presses Remedy on Anna's card
Mona fills done_at=now
Mona submits
Mona submits
Alice presses Verify on Anna's card
Alice fills how="Heard the boiler run."
Alice submits
Mona presses Outside body on Anna's card
Mona fills body="County court" event=complied
Mona submits
Mona submits
Bot to Anna: we have done what County court decided
Mona presses Close on Anna's card
Mona fills root_cause="Guarantee terms" cause_class=recurring
Mona submits
Mona submits
Record of Anna: state=closed close_code=exhausted capa_ids=[1]
