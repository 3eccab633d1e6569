# The remedy is done and checked, nobody answers: it ends as answered_no_reply, never as accepted.
Anna [en]: The replacement card you promised me three weeks ago never arrived.
Anna presses Done
Anna: Ordered on 2 November
Anna presses Replacement
Anna presses Send
Clock +30 seconds
Alice presses Assess on Anna's card
Alice fills category=supply severity=2 safety=0 complexity=1 reach=1 recurrence=2 immediate_needed=no
Alice submits
Alice presses Investigate on Anna's card
Alice fills evidence="complainant_heard|records_checked"
Alice submits
Alice presses Decide on Anna's card
Alice fills issues.0.finding=upheld issues.0.reasons="The letter came back to us." remedies.0.type=replace remedies.0.text="A new card by courier" others_affected=none root_cause="Old address" cause_class=single
Alice submits
Alice submits
Bot to Anna: The letter came back to us
Alice presses Remedy on Anna's card
Alice fills remedy=0 done_at=now proof="Courier receipt"
Alice submits
Alice submits
Alice presses Verify on Anna's card
Alice fills remedy=0 how="Courier's list of deliveries"
Alice submits
Clock +16 days
Bot to Anna: do not know yet what you think of it
Clock +16 days
Record of Anna: state=closed close_code=answered_no_reply reply=none
