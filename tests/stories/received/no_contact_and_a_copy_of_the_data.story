# Anonymous, and then not even a contact: nothing is sent after the acknowledgement but what she asks for; then her own data.
Anna [en]: Your meter reader was rude to me at the door. I want to stay anonymous.
Anna presses Done
Bot to Anna: How may we use your name?
Anna presses Do not contact me
Bot to Anna: After the acknowledgement we send you nothing more
Bot to Anna: Where did it happen
Anna: 12 Mill Lane, on Monday
Anna presses Apology
Bot to Anna: Your name: Do not contact me
Anna presses Send
Bot to Anna: We have your complaint
Clock +30 seconds

Mona sees: Wants no contact
Mona presses Assess on Anna's card
Mona fills category=service severity=2 safety=0 complexity=1 reach=1 recurrence=2 immediate_needed=no
Mona submits
Mona presses Open on Anna's card
Mona does not see: Complainant:
Mona goes back
Mona presses Resolve on Anna's card
Mona fills done="We have spoken to the reader." finding=upheld cause="A bad day" cause_class=single agreed_how="Not agreed: no contact" others_affected=none
Mona submits
Mona sees: wants no contact
Mona submits
Bot never told Anna: We have spoken to the reader.
Clock +2 days
Bot never told Anna: We have spoken to the reader.
Anna: /status
Bot to Anna: you asked not to be contacted … We have spoken to the reader.
Anna: /mydata
Bot to Anna: keeps what you told us here
Anna presses Export
Bot to Anna: Everything that we keep about you
Anna presses Export
Bot to Anna: You had a copy within the last day
Anna presses Erase my data
Bot to Anna: A person looks at it first
Anna presses Yes
Bot to Anna: I have noted your request
Mona sees: Asks about their data
