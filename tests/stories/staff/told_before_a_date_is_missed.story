# Nobody decides: she hears of it before each date passes, of the outside when the legal maximum does, and never silence.
Anna [en]: My order of 2 November never came and nobody answers the phone about it.
Anna presses Done
Anna: Order 550123, ordered on 2 November
Anna presses Explanation
Anna presses Send
Clock +1 minute
Alice presses Assess on Anna's card
Alice fills category=supply severity=2 safety=0 complexity=1 reach=1 recurrence=2 immediate_needed=no
Alice submits
Bot never told Anna: not ready yet
Clock +7 days
Bot told Anna once: our answer is not ready yet
Mona presses Extend on Anna's card
Mona fills target=decide extended_to=today+4 reason="The depot has not answered."
Mona submits
Mona submits
Bot told Anna once: The depot has not answered
Alice presses Dates explained on Anna's card
Alice sees: Moved from
Alice sees: No extension passes the legal maximum
Alice does not see: The depot has not answered
Alice goes back
Clock +9 days
Bot told Anna once: We will not keep that date
Bot to Anna: You can go outside now:
Record of Anna: state=assessed
