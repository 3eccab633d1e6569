# Investigated without hurry, upheld with a refund above the handler's limit, approved, accepted, done, verified, closed.
Anna [en]: Since the meter was replaced my bills have doubled, and nobody answered my three letters about it.
Anna presses Done
Anna: 12 Mill Lane, account 8841207, since September
Bot to Anna: This is what I wrote down
Anna: I want the money back that I paid too much
Bot to Anna: I have changed this
Anna presses Send
Bot to Anna: We have your complaint
Clock +30 seconds

Alice presses Assess on Anna's card
Alice fills category=money severity=3 safety=0 complexity=1 reach=1 recurrence=2 immediate_needed=no
Alice submits
Alice presses Investigate on Anna's card
Alice fills evidence="complainant_heard|records_checked" facts="The old meter's last reading was booked on the new one."
Alice submits
Clock +1 day
Alice presses Decide on Anna's card
Alice fills issues.0.finding=upheld issues.0.reasons="The readings were mixed up when the meter was changed." remedies.0.type=refund remedies.0.text="The amount you paid too much" remedies.0.amount=180.00 remedies.0.currency=GBP remedies.0.promised_by_date=2026-12-08 others_affected=none root_cause="Two readings booked on one meter" cause_class=single
Alice submits
Alice sees: The readings were mixed up
Alice submits
Record of Anna: state=investigating
Bot never told Anna: The readings were mixed up
# She sees a mistake before anybody answers.
Alice presses Withdraw the draft on Anna's card
Mona sees: withdrew the draft decision
Alice presses Decide on Anna's card
Alice submits
Alice sees: The readings were mixed up
Alice submits
Record of Anna: state=investigating
Mona presses Approve on Anna's card
Mona sees: The readings were mixed up
Mona fills agreed=yes
Mona submits
Bot to Anna: The readings were mixed up
Record of Anna: state=remedying
Anna presses I accept
Alice presses Remedy on Anna's card
Alice fills remedy=0 done_at=now proof="Bank transfer booked"
Alice submits
Alice submits
Mona presses Verify on Anna's card
Mona fills remedy=0 how="Seen on the bank statement"
Mona submits
Alice presses Close on Anna's card
Alice fills root_cause="Two readings booked on one meter" cause_class=single
Alice submits
Alice submits
Record of Anna: state=closed close_code=resolved
Bot to Anna: is now closed
Clock +4 days
Bot to Anna: six short questions
Anna presses 4
