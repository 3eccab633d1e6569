# The text names a member of staff: restricted from the first post; the person named never sees it.
Anna [en]: Your colleague Burak laughed at me on the phone and hung up when I asked about my bill.
Anna presses Done
Clock +1 minute
Burak sees no card of Anna
Alice sees no card of Anna
Mona sees: restricted
Mona presses Assess on Anna's card
Mona fills category=staff_conduct severity=3 safety=0 complexity=1 reach=1 recurrence=2 immediate_needed=no
Mona submits
Record of Anna: state=assessed
Burak sees no card of Anna
