# Friday night: an answer to her own message leaves at once, the decision waits until the quiet hours end.
Anna [en]: You charged me twice for the same repair in October.
Anna presses Done
Anna: 12 Mill Lane, account 8841207, in October
Anna presses Money back
Anna presses Send
Clock +1 minute
Alice presses Assess on Anna's card
Alice fills category=money severity=2 safety=0 complexity=1 reach=1 recurrence=2 immediate_needed=no
Alice submits
Alice presses Investigate on Anna's card
Alice fills evidence="complainant_heard|records_checked"
Alice submits
Clock +3 days
Clock +11 hours
Anna: I have found the second receipt, it is number 4711.
Clock +1 minute
Alice presses Reply on Anna's card
Alice fills text="Thank you, that is the one we were looking for."
Alice submits
Alice does not see: Leaves at
Alice submits
Bot to Anna: that is the one we were looking for
Alice presses Open on Anna's card
Alice goes back
Alice presses Decide on Anna's card
Alice fills issues.0.finding=upheld issues.0.reasons="The repair was booked twice." remedies.0.type=refund remedies.0.text="The second payment" remedies.0.amount=60.00 remedies.0.currency=GBP others_affected=none root_cause="Booked by two people" cause_class=single
Alice submits
Alice sees: 08:00
Alice submits
Bot never told Anna: booked twice
Clock +9 hours
Bot never told Anna: booked twice
Clock +2 hours
Bot told Anna once: The repair was booked twice
Record of Anna: state=remedying
