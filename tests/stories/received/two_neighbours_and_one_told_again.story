# Two neighbours tell of one thing in nearly the same words, and one of them tells it again: staff are offered to tie them.
Anna [en]: Since Monday the water from the kitchen tap in Mill Lane only drips and stops every evening, and nobody at your office calls back.
Anna presses Done
Anna presses Skip
Anna presses Skip
Anna presses Send
Clock +2 minutes
Alice does not see: Similar complaints
Ben [en]: Since Monday the water from our kitchen tap in Mill Lane only drips and it stops every evening, and nobody at your office has called back.
Ben presses Done
Ben presses Skip
Ben presses Skip
Ben presses Send
Clock +2 minutes
# On the new card, and on the older one too.
Alice sees: Similar complaints by other people in 90 days: *1*, the most similar is … The same cause?
Alice presses Same incident on Anna's card
Alice sees: have one cause
Alice submits
Record of Anna: incident_id=1 state=received
Record of Ben: incident_id=1 state=received
Clock +2 minutes
Alice does not see: Similar complaints by other people

# A third one is led to the incident that they have.
Cleo [en]: Since Monday the water from my kitchen tap in Mill Lane only drips and stops every evening, nobody at your office calls back!
Cleo presses Done
Cleo presses Skip
Cleo presses Skip
Cleo presses Send
Clock +2 minutes
Alice sees: belongs to incident 1. Is this part of it?
Alice presses Same incident on Cleo's card
Alice submits
Record of Cleo: incident_id=1

# The same person, the same matter: offered to be merged, and merged by a person alone.
Anna: /complain Since Monday the water from the kitchen tap in Mill Lane only drips and stops every evening, and nobody at your office calls back.
Anna presses Skip
Anna presses Skip
Anna presses Send
Clock +2 minutes
Alice sees: by the same person. The same matter?
Record of Anna: state=received
Mona presses Merge on Anna's card
Mona sees: is a duplicate of
Mona submits
Mona submits
Record of Anna: state=closed close_code=merged
Clock +2 minutes
Alice does not see: by the same person. The same matter?
