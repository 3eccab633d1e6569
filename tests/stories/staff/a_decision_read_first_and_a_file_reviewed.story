# The decision was drawn: a colleague sends it back, it is changed and passes. Closed, it is reviewed by a person without a part.
Anna [en]: The reading on my bill is wrong, I have paid for water that I did not use.
Anna presses Done
Anna: 4 Quay Street, in October
Anna: I want the money back
Anna presses Send
Bot to Anna: We have your complaint
Clock +30 seconds

Alice presses Assess on Anna's card
Alice fills category=money severity=2 safety=0 complexity=1 reach=1 recurrence=2 immediate_needed=no
Alice submits
Alice presses Resolve on Anna's card
Alice fills done="We sent the money back." amount=30 finding=upheld cause="The meter was read twice" cause_class=single agreed_how="As you asked" others_affected=none
Alice submits
Alice sees: A second person reads this decision first
Alice submits
Record of Anna: state=assessed
Burak presses Check decision on Anna's card
Burak sees: We sent the money back.
Burak fills check_facts=yes check_issues=yes check_reasons=no check_redress=yes check_tone=yes check_language=yes check_recourse=yes agreed=no reason="Say how much and when."
Burak submits
Bot never told Anna: We sent the money back
Alice sees: A second reader wants a change
Alice presses Resolve on Anna's card
Alice sees: Say how much and when.
Alice fills done="We sent 30 pounds back on 24 November."
Alice submits
Alice submits
Burak presses Check decision on Anna's card
Burak fills check_facts=yes check_issues=yes check_reasons=yes check_redress=yes check_tone=yes check_language=yes check_recourse=yes agreed=yes
Burak submits
Bot to Anna: We sent 30 pounds back on 24 November.
Anna presses I accept

Mona presses Note on Anna's card
Mona fills text="Watch the next reading."
Mona submits
Selin presses Note on Anna's card
Selin fills text="Seen."
Selin submits
Tuğba presses Note on Anna's card
Tuğba fills text="Seen too."
Tuğba submits
Alice presses Close on Anna's card
Alice fills root_cause="The meter was read twice" cause_class=single
Alice submits
Alice submits
Bot to Anna: is now closed
Clock +8 days
Audrey sees: You took no part in it
Audrey sees at home: Waiting for you as second person (1)
Audrey presses Open on Anna's card
Audrey sees: I have paid for water that I did not use
Audrey presses Review complaint
Audrey fills review_open=yes review_impartial=yes review_confidential=yes review_accessible=yes review_complete=yes review_equitable=yes review_sensitive=not_applicable
Audrey submits
Audrey does not see: was not given to you
