# One story in forty messages: one complaint, one receipt, one first question.
Anna writes 40 messages in 3 minutes
Clock +30 seconds
Bot told Anna once: Your reference is
Bot told Anna once: Where did it happen
Record of Anna: state=received
