# Disagreed, reviewed at level 2 by other people, disagreed at the top, told about the outside.
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
Bot to Anna: does not cover limescale
Anna presses I disagree
Bot to Anna: stays open
Record of Anna: state=escalated level=2
Alice does not see: level 2 decision by Alice
Mona presses Assess on Anna's card
Mona fills category=guarantee severity=2 safety=0 complexity=1 reach=1 recurrence=2 immediate_needed=no
Mona submits
Mona presses Investigate on Anna's card
Mona fills evidence="complainant_heard|records_checked"
Mona submits
Mona presses Decide on Anna's card
Mona fills issues.0.finding=not_upheld issues.0.reasons="The terms were explained at the sale and signed." others_affected=none root_cause="Guarantee terms" cause_class=single
Mona submits
Mona submits
Bot to Anna: explained at the sale
Anna presses I disagree
Bot to Anna: We have no further review ourselves
Record of Anna: state=recourse_offered
