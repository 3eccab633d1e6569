# A manager talks with a person in danger from the thread of the page: only those lines reach her.
Anna [en]: There is a strong smell of gas in our kitchen!
Mona sees: danger
Mona presses Talk to them now in the direct message
Bot to Anna: A person from … is here now (the person on call).
Mona sees: strong smell of gas
Mona types in the conversation: I am Mona. Is everybody out of the house?
Bot to Anna: I am Mona. Is everybody out of the house?
Anna: Yes, we are all in the garden.
Mona sees: we are all in the garden
Mona types in the conversation: Good. Stay there, the gas company is coming.
Bot to Anna: Stay there
Mona presses End the conversation in the direct message
Bot to Anna: has left the conversation
Bot never told Anna: has seen it
Mona types in the conversation: Are you still there?
Mona sees: Not sent
Bot never told Anna: still there
