# The same matter on two days: the first receipt counts, every word is kept, and both references lead to the one that goes on.
Anna [en]: The water in Mill Lane is brown since Sunday.
Anna presses Done
Anna presses Skip
Anna presses Skip
Anna presses Send
Clock +1 day
Anna: /complain My tap water is still brown, I cannot wash the baby bottles with it.
Anna presses Skip
Anna presses Skip
Anna presses Send
Clock +2 minutes
Mona presses Link on Anna's card
Mona fills relation=duplicate other_ref=ref:Anna:1
Mona submits
Mona submits
Record of Anna: state=closed close_code=merged
# Whichever of the two she names, she is answered about the one that goes on.
Anna: /status
Bot to Anna: received Tuesday, 24 November 2026
Bot to Anna: waiting to be read
