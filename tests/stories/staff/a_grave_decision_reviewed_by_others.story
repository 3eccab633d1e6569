# Severity 4: a handler decides, a manager approves, the letter promises a review, and other people make it.
Anna [en]: Your fitter left a valve open, and the water ruined the whole shop: 14,000 pounds of stock and the floor.
Anna presses Done
Anna: 7 Corn Square, on 2 November
Anna presses Money back
Bot to Anna: This is what I wrote down
Anna presses Send
Bot to Anna: We have your complaint
Clock +2 minutes

Alice presses Take on Anna's card
Alice presses Assess on Anna's card
Alice fills category=goods severity=4 safety=0 complexity=1 reach=1 recurrence=2 immediate_needed=no
Alice submits
Alice presses Investigate on Anna's card
Alice fills evidence="complainant_heard|records_checked|staff_statement|rule_or_contract"
Alice submits
Alice presses Decide on Anna's card
Alice fills issues.0.finding=not_upheld issues.0.reasons="The valve belongs to your own meter box." others_affected=none root_cause="A valve of the customer" cause_class=single
Alice submits
Alice submits
Bot never told Anna: The valve belongs to your own meter box.
Mona presses Approve in the direct message
Mona sees: The valve belongs to your own meter box.
Mona fills agreed=yes
Mona submits
Bot to Anna: The valve belongs to your own meter box.
Anna presses I disagree
Record of Anna: state=escalated level=2
Bot to Anna: stays open
Bot never told Anna: we have nothing further that we can review
