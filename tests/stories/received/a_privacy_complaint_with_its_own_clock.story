# A bill to the wrong address: the part about personal data has its own thirty days and is answered before the rest.
Anna [en]: You sent my bill with my bank details to my former landlord, and the bill is wrong as well.
Anna presses Done
Anna: Account 8841207, last month
Anna presses Explanation
Anna presses Send
Clock +30 seconds
Alice presses Assess on Anna's card
Alice fills category=money severity=3 safety=0 complexity=1 reach=1 recurrence=2 immediate_needed=no issues.0.category=money issues.0.text="Bill too high"
Alice presses Add an issue
Alice fills issues.1.category=privacy issues.1.text="Bank details sent to the former landlord"
Alice submits
Alice sees: answer about personal data
Alice presses Reply on Anna's card
Alice fills text="Your details went to an old address. It is corrected, and you may go to the Information Commissioner." answers_privacy=yes
Alice submits
Alice submits
Bot to Anna: It is corrected
Record of Anna: state=assessed
Alice does not see: answer about personal data
