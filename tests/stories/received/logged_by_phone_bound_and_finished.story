# Told on the phone, written down eight days later, bound to Telegram by a code and finished there.
Alice uses log_complaint
Alice fills channel=phone received_at=2026-11-16T10:00:00Z description="My water bill shows the same payment taken twice this month." name="Anna Bell" phone="020 7946 0018" language=en remedy_requested="The money back"
Alice submits
Alice sees: Your complaint has the reference
Alice submits
Clock +2 minutes
Record of Anna: state=received channel=phone
Alice sees: first work on a complaint logged late
Alice presses Take on Anna's card
Alice presses Assess on Anna's card
Alice fills category=money severity=2 safety=0 complexity=1 reach=1 recurrence=2 immediate_needed=no
Alice submits
Record of Anna: state=assessed owner=U0000001
Alice presses Code for Telegram on Anna's card
Anna sends the code that Alice sees
Bot to Anna: is in this chat now
Bot to Anna: We answer by
Alice goes back
Alice presses Resolve on Anna's card
Alice fills done="We sent the second payment back to your card today." finding=upheld cause="The payment file was read twice." cause_class=single agreed_how="She asked for the money back on the phone." others_affected=none
Alice submits
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
