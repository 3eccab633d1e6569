# Alice falls ill with 12 open complaints: reminders go to her deputy, a manager moves all in one list, Burak is told once.
12 people write: The new water meter runs backwards since Monday and the bill is wrong.
Clock +2 minutes
Alice presses Take on the cards of people 1-12
Records of people 1-12: owner=U0000001
Alice sees at home: Yours, by what is due next (12)
Mona runs /complaints away Alice until 2026-12-07 deputy Burak
Mona sees: 12 open complaints stay with them
Clock +1 day
Burak sees once: who is away: due today or overdue (12)
Mona runs /complaints move Alice Burak
Mona sees: 12 … go from
Mona submits
Records of people 1-12: owner=U0000005
Burak sees once: gave you 12 complaints of
Mona goes back
Mona sees: Moved to … 12
Burak sees at home: Yours, by what is due next (12)
Alice sees at home: Yours, by what is due next (0)
Alice runs /complaints back
Alice sees: is here again
