# A small matter, put right at once; the complainant's "I accept" verifies it; closed, then surveyed.
Anna [en]: My water bill shows the same payment taken twice, please look at it.
Bot to Anna: Your reference is
Anna presses Done
Bot to Anna: Where did it happen
Anna: Account 8841207, on 3 November
Bot to Anna: What would put this right
Anna presses Money back
Bot to Anna: This is what I wrote down
Anna presses Send
Bot to Anna: We have your complaint
Clock +30 seconds

Alice sees: received
Alice presses Take on Anna's card
Alice presses Assess on Anna's card
Alice fills category=money severity=2 safety=0 complexity=1 reach=1 recurrence=2 immediate_needed=no
Alice submits
Record of Anna: state=assessed priority=P3 owner=U0000001
Alice presses Resolve on Anna's card
Alice fills done="We sent the second payment back to your card today." amount=27.50 type=refund finding=upheld cause="The payment file was read twice." cause_class=single agreed_how="She asked for the money back in her complaint." others_affected=none
Alice submits
Alice sees: We sent the second payment back
Alice submits
Bot to Anna: We sent the second payment back to your card today.
Record of Anna: state=decided
Anna presses I accept
Alice presses Close on Anna's card
Alice fills root_cause="The payment file was read twice." cause_class=single
Alice submits
Alice submits
Record of Anna: state=closed close_code=resolved
Bot to Anna: is now closed
Clock +4 days
Bot to Anna: six short questions
Anna presses 5
