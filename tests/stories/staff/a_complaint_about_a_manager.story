# A manager is named who is in every channel of ours: the card stands in none, and top management hears of it in private.
Anna [en]: Your manager Mona shouted at me at the counter on Monday and tore up my form.
Anna presses Done
Clock +2 minutes
Mona sees no card of Anna
Alice sees no card of Anna
Mona does not see: is about a member
Tuğba sees: is about a member of our channels, so it is shown in none of them
Record of Anna: restricted=true significant=true denied="['U0000002']" nobody_left=false
Tuğba presses Assess in the direct message
Tuğba fills category=staff_conduct severity=3 safety=0 complexity=1 reach=1 recurrence=2 immediate_needed=no
Tuğba submits
Record of Anna: state=assessed owner=U0000003
# Nothing is decided unheard; she is told, heard and supported, with dates.
Tuğba presses Open in the direct message
Tuğba presses Investigate
Tuğba fills evidence="complainant_heard|records_checked|staff_statement|rule_or_contract"
Tuğba submits
Record of Anna: state=investigating staff_informed_at=none
Tuğba presses Open in the direct message
Tuğba presses Investigate
Tuğba fills evidence="complainant_heard|records_checked|staff_statement|subject_heard|rule_or_contract" subject_informed_at=now subject_heard_at=now subject_supported_at=now
Tuğba submits
Record of Anna: state=investigating staff_not_told_because=none
# Alice, who is independent of it, decides.
Tuğba presses Open in the direct message
Tuğba presses Assign
Tuğba fills owner=Alice
Tuğba submits
Alice presses Open in the direct message
Alice presses Decide
Alice fills issues.0.finding=upheld issues.0.reasons="Two witnesses saw the form torn up." nothing_why="Your form was taken again at the counter." others_affected=none root_cause="No second person at the counter" cause_class=single
Alice submits
Alice submits
Bot to Anna: form torn up
Mona sees no card of Anna
Record of Anna: state=decided
