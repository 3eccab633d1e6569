# Insults after the closing: warned, limited by two people, appealed, kept by a third, renewed; a danger is handled as ever.
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
Anna presses I accept
Alice presses Close on Anna's card
Alice fills root_cause="An old joint" cause_class=single
Alice submits
Alice submits
Record of Anna: state=closed close_code=resolved
Alice presses Warn about contact on Anna's card
Alice sees: The right to complain is never limited
Alice fills text="Nine messages since noon call our staff names."
Alice submits
Alice submits
Bot to Anna: Nine messages since noon call our staff names.
Alice presses Limit contact on Anna's card
Alice fills limits=fewer_replies reply_days=14 until=2027-01-10 reason="The insults went on after our warning."
Alice submits
Alice submits
Bot never told Anna: The insults went on
Mona presses Approve on Anna's card
Mona sees: at most once in 14 days
Mona fills agreed=yes
Mona submits
Bot to Anna: You can make a new complaint at any time.
Anna presses I disagree with the limit
Bot to Anna: Somebody who took no part in it decides by
Anna: I was angry because nobody rang me back.
Mona presses Review the limit on Anna's card
Mona sees: A second person must do this
Selin presses Review the limit on Anna's card
Selin sees: The insults went on after our warning.
Selin fills outcome=kept reason="Nine messages with names are on file."
Selin submits
Selin sees: The limit stays until Sunday, 10 January 2027. The reason:
Selin submits
Bot to Anna: Nine messages with names are on file.
Selin sees at home: Contact limited (1)
Clock +1 week
Selin presses Review the limit on Anna's card
Selin fills outcome=renewed until=today+90 reason="Two more messages with names came."
Selin submits
Selin submits
Bot to Anna: Two more messages with names came.
Alice presses Record an appeal on Anna's card
Alice fills reason="By phone: she says that she is sorry."
Alice submits
Selin presses Review the limit on Anna's card
Selin sees: A second person must do this
Anna: I smell gas in the cellar!
Bot to Anna: call
Mona presses Receipt on Anna's card
