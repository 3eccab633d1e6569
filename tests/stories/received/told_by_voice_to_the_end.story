# At the counter, answered by letter, without any chat: every step is told by a person and recorded.
Alice uses log_complaint
Alice fills channel=counter received_at=now description="The new meter drips and my cellar is damp." name="Anna Bell" address="3 Mill Lane, Leeds" language=en answer_by=letter
Alice submits
Alice sees: People read every complaint and make every decision
Alice submits
Clock +2 minutes
Alice presses Take on Anna's card
Alice presses Assess on Anna's card
Alice fills category=goods severity=2 safety=0 complexity=1 reach=1 recurrence=2 immediate_needed=no
Alice submits
Alice sees: tell the complainant by letter: the dates
Alice presses Resolve on Anna's card
Alice fills done="A fitter tightened the meter today." finding=upheld cause="A loose joint." cause_class=single agreed_how="She agreed at the counter." others_affected=none
Alice submits
Alice sees: you will be asked to tell it
Alice submits
Alice sees: tell the complainant by letter: the decision
Alice presses Open on Anna's card
Alice sees: To be told by letter
Alice sees: A fitter tightened the meter today.
Alice sees: Please tell us within
Alice goes back
Alice presses Heard or told by voice on Anna's card
Alice fills what=decision given_at=now by_whom="Posted to her"
Alice submits
Alice presses Heard or told by voice on Anna's card
Alice fills what=accept given_at=now by_whom="Herself at the counter" words="That is fine."
Alice submits
Record of Anna: state=decided reply=accept
Alice presses Close on Anna's card
Alice fills root_cause="A loose joint." cause_class=single
Alice submits
Alice submits
Record of Anna: state=closed close_code=resolved
Alice sees: tell the complainant by letter: that it is closed
Alice presses Heard or told by voice on Anna's card
Alice fills what=letter given_at=now by_whom="Posted to her"
Alice submits
Clock +10 days
Record of Anna: state=closed
