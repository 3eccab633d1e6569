# Closed as resolved; then new facts: she says what is new, it is taken up again and decided anew.
Anna [en]: The pipe in front of my house leaks and the water stands on the pavement.
Anna presses Done
Anna: 12 Mill Lane, since Monday
Anna presses Repair
Anna presses Send
Clock +30 seconds
Alice presses Assess on Anna's card
Alice fills category=service severity=2 safety=0 complexity=1 reach=1 recurrence=2 immediate_needed=no
Alice submits
Alice presses Resolve on Anna's card
Alice fills done="The joint was sealed." finding=upheld cause="An old joint" cause_class=single agreed_how="In the chat" others_affected=none
Alice submits
Alice submits
Bot to Anna: The joint was sealed.
Anna presses I accept
Alice presses Close on Anna's card
Alice fills root_cause="An old joint" cause_class=single
Alice submits
Alice submits
Record of Anna: state=closed close_code=resolved
Clock +3 days
Bot to Anna: Did we treat you fairly

Clock +9 days
Anna: /reopen
Bot to Anna: What is new about
Anna: It leaks again at another joint, and your engineer told my neighbour that the whole pipe is rotten.
Bot to Anna: Should we open … again?
Anna presses Yes
Bot to Anna: is open again
Record of Anna: state=investigating
Clock +30 seconds
Alice presses Investigate on Anna's card
Alice fills evidence="complainant_heard|records_checked|site_or_item_seen"
Alice submits
Alice presses Open
Alice sees: the whole pipe is rotten
Alice goes back
Alice presses Decide on Anna's card
Alice fills issues.0.finding=upheld issues.0.reasons="The pipe is rotten over its whole length." remedies.0.type=repair remedies.0.text="A new pipe" others_affected=some others_action="The neighbours are told." root_cause="The pipe is from 1931" cause_class=recurring
Alice submits
Alice submits
Bot to Anna: The pipe is rotten over its whole length.
Record of Anna: state=remedying
