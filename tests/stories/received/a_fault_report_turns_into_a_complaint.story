# A light that is out is a fault report, until nobody comes: insisting restores it as a complaint (clause 3).
Anna [en]: My street light is out in Mill Lane, number 17.
Anna presses Done
Anna presses Skip
Anna presses Repair
Anna presses Send
Clock +30 seconds
Alice presses Take on Anna's card
Alice presses Reclassify on Anna's card
Alice fills kind=fault_report reason="A lamp is out; it goes to the works list."
Alice submits
Alice submits
Mona presses Approve on Anna's card
Mona fills agreed=yes
Mona submits
Bot to Anna: We have not treated it as a complaint … If you mean it as a complaint
Record of Anna: state=closed close_code=not_complaint kind=fault_report

Clock +20 days
Anna: It is still dark and nobody came in three weeks. That is unacceptable, people fall there.
Bot to Anna: is now treated as a complaint
Record of Anna: state=investigating kind=complaint
Clock +30 seconds
Alice presses Assess on Anna's card
Alice fills category=service severity=2 safety=0 complexity=1 reach=1 recurrence=2 immediate_needed=no
Alice submits
Alice presses Resolve on Anna's card
Alice fills done="The lamp was changed today." finding=upheld cause="The works order was lost." cause_class=single agreed_how="In the chat" others_affected=none
Alice submits
Alice submits
Bot to Anna: The lamp was changed today.
Anna presses I accept
Alice presses Close on Anna's card
Alice fills root_cause="The works order was lost." cause_class=single
Alice submits
Alice submits
Record of Anna: state=closed close_code=resolved kind=complaint
