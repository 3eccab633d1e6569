# Assigned, noted, asked for, answered, told how far it is, more time asked for by the handler and agreed by a manager.
Anna [en]: You charged me for a repair that your own engineer told me would be free, and nobody answers my letters.
Anna presses Done
Anna: 12 Mill Lane, repair order 5518, on 3 November
Anna presses Explanation
Anna presses Send
Clock +30 seconds
Mona presses Assess on Anna's card
Mona fills category=money severity=2 safety=0 complexity=2 reach=1 recurrence=2 immediate_needed=no
Mona submits
Mona presses Assign on Anna's card
Mona fills owner=U0000001
Mona submits
Record of Anna: owner=U0000001
Alice sees: is yours now

Alice presses Note on Anna's card
Alice fills text="The order was closed by a contractor whose papers we do not have."
Alice submits
Bot never told Anna: contractor
Alice presses Ask on Anna's card
Alice fills text="Please send us a photo of the invoice." needed_by=2026-11-27
Alice submits
Alice submits
Bot to Anna: a photo of the invoice
Alice sees: Waiting for the complainant's answer to our question
Clock +2 hours
Anna sends a photo: This is the invoice
Alice does not see: Waiting for the complainant's answer to our question

Alice presses Inform on Anna's card
Alice fills done="We have your invoice." left="The contractor has to tell us what was agreed." next_date=2026-12-02
Alice submits
Alice submits
Bot to Anna: the contractor has to tell us
Alice presses Extend on Anna's card
Alice fills target=decide extended_to=2026-12-07 reason="The contractor answers by 4 December."
Alice submits
Alice submits
Bot never told Anna: 7 December
Mona sees: asks for a later date
Mona presses Approve on Anna's card
Mona sees: The contractor answers by 4 December.
Mona fills agreed=yes
Mona submits
Bot to Anna: 7 December
