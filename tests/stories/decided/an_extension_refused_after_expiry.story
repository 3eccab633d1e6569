# A date that has passed is not moved any more: it was missed, and the record says so.
Anna [en]: My order of 2 November never came and nobody answers the phone about it.
Anna presses Done
Anna: Order 550123, ordered on 2 November
Anna presses Explanation
Anna presses Send
Clock +1 minute
Alice presses Assess on Anna's card
Alice fills category=supply severity=2 safety=0 complexity=1 reach=1 recurrence=2 immediate_needed=no
Alice submits
Clock +9 days
Mona presses Extend on Anna's card
Mona fills target=decide extended_to=today+5 reason="The depot has not answered."
Mona is refused: has passed
Mona goes back
Mona sees: missed
Record of Anna: state=assessed
Bot never told Anna: has not answered
