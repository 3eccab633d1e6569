# Two handlers open the same form; one is first, the other is told what changed and nothing is done twice.
Anna [en]: The parcel came open and half of what I had ordered is missing.
Anna presses Done
Clock +1 minute
Alice presses Assess on Anna's card
Burak presses Assess on Anna's card
Alice fills category=supply severity=2 safety=0 complexity=1 reach=1 recurrence=2 immediate_needed=no
Burak fills category=goods severity=3 safety=0 complexity=1 reach=1 recurrence=2 immediate_needed=no
Alice submits
Burak is refused: This changed meanwhile: Assessed
Record of Anna: state=assessed category=supply severity=2 owner=U0000001
Burak goes back
# What the second still wants goes on from what is there: taken by somebody, it is no longer his to take.
Alice presses Note on Anna's card
Burak presses Note on Anna's card
Alice fills text="Asked the depot."
Burak fills text="Saw the same on Friday."
Alice submits
Burak submits
Record of Anna: state=assessed owner=U0000001
