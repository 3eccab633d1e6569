# The bot is blocked before the receipt could leave: the record says so, and the case goes on.
Telegram is down
Anna [en]: The parcel arrived open and half of the order is missing.
Anna blocks the bot
Telegram is up
Clock +40 minutes
Record of Anna: state=received
Alice sees: cannot be reached
Anna unblocks the bot
Bot to Anna: We have your complaint
