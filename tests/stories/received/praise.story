# Praise is heard, thanked, counted apart: a second person agrees that it is no complaint.
Anna [en]: Your engineer was wonderful, thank you all so much for the quick repair!
Bot to Anna: Your reference is
Anna presses Done
Anna presses Skip
Anna presses Just to let you know
Anna presses Send
Clock +30 seconds
Alice presses Take on Anna's card
Alice presses Reclassify on Anna's card
Alice fills kind=praise reason="You praise the engineer and ask for nothing."
Alice submits
Alice submits
Mona presses Approve on Anna's card
Mona fills agreed=yes
Mona submits
Record of Anna: state=closed close_code=not_complaint kind=praise
Bot to Anna: thank
Clock +8 days
Bot never told Anna: six short questions
