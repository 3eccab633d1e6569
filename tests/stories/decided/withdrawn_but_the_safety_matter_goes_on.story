# She takes it back, but somebody could be hurt: it goes on inside, and she hears nothing more than that it is withdrawn.
Anna [en]: The cover of the meter pit in front of my house is broken and a child fell in up to the knee.
Anna presses No
Clock +30 seconds
Alice presses Assess on Anna's card
Alice fills category=safety severity=4 safety=1 complexity=1 reach=1 recurrence=2 immediate_needed=no
Alice submits
Anna: /withdraw
Anna presses Yes
Bot to Anna: You have taken … back
Record of Anna: state=assessed close_code=none
Alice sees: Withdrawn, but the work goes on
Alice presses Investigate on Anna's card
Alice fills evidence="complainant_heard|records_checked|staff_statement|rule_or_contract"
Alice submits
Alice presses Decide on Anna's card
Alice fills issues.0.finding=upheld issues.0.reasons="The cover was cracked in spring." nothing_why="A new cover is in place." others_affected=none root_cause="No check of pit covers" cause_class=systemic
Alice submits
Alice submits
Mona presses Approve in the direct message
Mona fills agreed=yes
Mona submits
Record of Anna: state=decided
Bot never told Anna: The cover was cracked
Alice presses Close on Anna's card
Alice fills root_cause="No check of pit covers" cause_class=systemic
Alice submits
Record of Anna: state=closed close_code=withdrawn
