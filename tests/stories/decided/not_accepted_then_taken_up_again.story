# Refused with a reason and the way outside; a manager takes it up again when new facts come; a lawyer's letter holds the record.
Anna [en]: My neighbour's builder broke our shared fence in 2019 and you never made him mend it.
Anna presses Done
Anna: 14 Mill Lane, in summer 2019
Anna presses Repair
Anna presses Send
Clock +30 seconds
Alice presses Escalate on Anna's card
Alice fills reason="Too old for us to look at without a manager."
Alice submits
Record of Anna: state=escalated level=2
Mona presses Not accept on Anna's card
Mona fills reason="It happened more than two years before you told us, and the builder did not work for us."
Mona submits
Mona submits
Record of Anna: state=closed close_code=not_accepted
Bot to Anna: the builder did not work for us
Bot to Anna: ombudsman

Mona presses Reopen on Anna's card
Mona fills reason="She sent our own work order for the fence."
Mona submits
Record of Anna: state=investigating
Mona presses Legal hold on Anna's card
Mona fills reason="A solicitor's letter came."
Mona submits
Mona sees: hold
Mona presses Release legal hold on Anna's card
Mona fills reason="The claim was dropped."
Mona submits
Mona presses Restrict on Anna's card
Mona fills reason="It names a colleague of the time."
Mona submits
Alice sees no card of Anna
Mona presses Lift restriction on Anna's card
Mona fills reason="The colleague had no part in it."
Mona submits
Mona presses Reply on Anna's card
Mona fills text="We are looking at it again, thank you for the work order."
Mona submits
Mona submits
Bot to Anna: looking at it again
