# She complains about how her complaint was handled: a complaint of its own, apart, with other people.
Anna [en]: My bill for October counts the same week twice.
Anna presses Done
Anna: Account 8841207, in October
Anna presses Money back
Anna presses Send
Clock +30 seconds
Alice presses Assess on Anna's card
Alice fills category=money severity=2 safety=0 complexity=1 reach=1 recurrence=2 immediate_needed=no
Alice submits
Record of Anna: owner=U0000001
Anna: /complain Nobody answered my first complaint for weeks and the person on it only sent me standard letters.
Anna presses Skip
Anna presses Skip
Anna presses Send
Clock +2 minutes
# A manager ties it to the first one: whoever dealt with that is kept out of this one.
Mona presses Link on Anna's card
Mona fills relation=about_handling_of other_ref=ref:Anna:1
Mona submits
Record of Anna: restricted=true denied="['U0000001']" owner=none
Mona presses Assign on Anna's card
Mona fills owner=Alice
Mona is refused: named in it or has a conflict
Mona fills owner=Burak
Mona submits
Record of Anna: owner=U0000005
