# Somebody else's complaint: accepted at once, nothing of his disclosed until his agreement is shown.
Anna [en]: I write for my son, who is 24 and autistic: his electricity meter was changed and his bill has doubled since. He cannot read your letters.
Bot to Anna: Your reference is
Anna presses Done
Bot to Anna: You seem to write for someone else.
Anna presses They don't know
Bot to Anna: Would anything make this easier
Anna: Please write short sentences, one thing at a time
Bot to Anna: Where did it happen
Anna: Flat 3, 12 Mill Lane, since 5 October
Anna presses Explanation
Bot to Anna: Who it is for: someone else, who does not know of it … Your relationship: Parent … What makes it easier: Please write short sentences
Anna presses Send
Bot to Anna: We have your complaint
Clock +30 seconds

Alice sees: For another person: authority not shown
Alice sees: Support need
Alice does not see: short sentences
Alice presses Assess on Anna's card
Alice fills category=money severity=3 safety=0 complexity=1 reach=1 recurrence=2 immediate_needed=no override_reason="Nobody is in danger; the bill is high."
Alice submits
Alice presses Open on Anna's card
Alice sees: short sentences
Alice goes back
Alice presses Reply on Anna's card
Alice fills text="We look at the reading that you told us of."
Alice fills disclosure_checked=yes
Alice submits
Alice sees: disclose nothing of theirs
Alice submits
Bot to Anna: We look at the reading that you told us of.
Alice presses Heard or told by voice on Anna's card
Alice fills what=authority given_at=now by_whom="The son himself, by phone" words="His mother may speak for him."
Alice submits
Alice does not see: authority not shown
Alice presses Reply on Anna's card
Alice fills text="Your son's meter was booked twice; we correct it."
Alice submits
Alice does not see: disclose nothing of theirs
Alice submits
Bot to Anna: booked twice
