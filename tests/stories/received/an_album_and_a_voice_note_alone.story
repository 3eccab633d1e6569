# No words at all: pictures open a complaint, a voice note opens another person's; both wait to be heard or seen.
Anna sends 3 photos
Bot to Anna: Your reference is
Clock +1 minute
Mehmet [tr]: /start
Mehmet sends a voice note
Bot to Mehmet: Başvuru numaranız
Clock +1 minute
Alice presses Open on Anna's card
Alice sees: photo
Alice goes back
Alice presses Assess on Mehmet's card
Alice fills category=service severity=2 safety=0 complexity=1 reach=1 recurrence=2 immediate_needed=no media_heard=yes
Alice submits
Record of Mehmet: state=assessed
Record of Anna: priority=P2
