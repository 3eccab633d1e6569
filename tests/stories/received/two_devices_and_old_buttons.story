# One chat on two devices: everything pressed twice, old buttons pressed late; nothing is done twice or to the wrong complaint.
Anna [en]: The new meter drips since Monday and nobody came.
Anna presses Done
Anna presses the first Done
Anna: 12 Mill Lane
Anna presses Repair
Anna presses Repair
Anna presses Send
Bot to Anna: We have your complaint
Anna presses Send
Bot to Anna: You have already sent …; nothing is missing
Bot told Anna once: This is what I wrote down
Clock +30 seconds
Alice presses Assess on Anna's card
Alice fills category=goods severity=2 safety=0 complexity=1 reach=1 recurrence=2 immediate_needed=no
Alice submits
Alice presses Resolve on Anna's card
Alice fills done="The meter was changed." finding=upheld cause="A bad seal" cause_class=single agreed_how="In the chat" others_affected=none
Alice submits
Alice submits
Bot to Anna: The meter was changed.
Anna presses I accept
Bot to Anna: You have accepted our decision
Anna presses I accept
Bot to Anna: You accepted our decision on
Anna presses the first Change
Bot to Anna: What would you like to change?
Anna presses the first Skip
Anna presses Cancel
Alice presses Close on Anna's card
Alice fills root_cause="A bad seal" cause_class=single
Alice submits
Alice submits
Record of Anna: state=closed close_code=resolved reply=accept
Anna presses the first Send
Bot to Anna: You have already sent … nothing is missing
Anna presses I disagree
Bot to Anna: is closed. If it is not right, type /reopen
Anna presses the first Repair
Record of Anna: state=closed close_code=resolved reply=accept
