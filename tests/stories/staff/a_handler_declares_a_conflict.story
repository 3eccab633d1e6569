# Alice knows the complainant: she steps aside, and from then on neither opens nor gets it.
Anna [en]: The engineer came three times and the boiler is still cold.
Anna presses Done
Anna: Boiler, order 5510, last week
Anna presses Repair
Anna presses Send
Clock +30 seconds
Alice presses Take on Anna's card
Record of Anna: owner=U0000001
Alice presses Conflict of interest on Anna's card
Alice fills who=Alice reason="She is my neighbour."
Alice submits
Record of Anna: owner=none denied="['U0000001']" state=received
# Nobody can give it back to her, and she cannot take it.
Alice presses Take on Anna's card
Alice sees: not open to you
Mona presses Assign on Anna's card
Mona fills owner=Alice
Mona is refused: named in it or has a conflict
Mona fills owner=Burak
Mona submits
Record of Anna: owner=U0000005
Burak presses Assess on Anna's card
Burak fills category=service severity=2 safety=0 complexity=1 reach=1 recurrence=2 immediate_needed=no
Burak submits
Record of Anna: state=assessed owner=U0000005
