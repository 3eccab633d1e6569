# A call is offered in a letter; what to ask in it is a note that the customer never gets.
Anna [en]: The pipe in front of my house leaks and the water stands on the pavement.
Anna presses Done
Anna: 12 Mill Lane, since Monday
Anna presses Repair
Anna presses Send
Clock +30 seconds
Alice presses Assess on Anna's card
Alice fills category=service severity=2 safety=0 complexity=1 reach=1 recurrence=2 immediate_needed=no
Alice submits
Alice presses Offer a call on Anna's card
Alice fills text="We would like to ask about the meter." call_at=2027-01-11T10:00:00Z to_ask="Is the cellar wet?"
Alice submits
Alice sees: We would like to ask about the meter.
Alice does not see: Is the cellar wet?
Alice submits
Bot to Anna: We would like to ask about the meter.…11 January 2027
Bot never told Anna: Is the cellar wet?
