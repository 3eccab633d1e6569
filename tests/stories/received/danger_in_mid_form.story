# A sign of danger in the middle of the questions: the number first, questions stop, on-call is paged.
Anna [en]: The engineer left without finishing the new connection in our kitchen.
Bot to Anna: Your reference is
Anna presses Done
Anna: 12 Mill Lane, this morning
Anna: There is a strong smell of gas in the kitchen now!
Bot to Anna: We are a complaints service and cannot send help
Anna: shall I relight the boiler?
Bot to Anna: No. Never turn the gas on again
Mona sees: danger
Record of Anna: priority=P1 safety=3
Clock +6 minutes
Mona presses Receipt
Bot to Anna: has seen it
Anna presses It is over
Bot to Anna: What would put this right
Clock +65 minutes
Mona presses Close danger in the direct message
Mona fills danger_end=helped
Mona submits
