# A child: plain words, the age that it wrote is not asked, a grown-up offered, the top told at once, no survey.
Emre [en]: I am 13. The bus driver of your company shouted at me and left me at the wrong stop yesterday.
Bot to Emre: Your number is
Emre presses Done
Bot to Emre: a grown-up you trust
Bot to Emre: What should we do to make it better
Emre presses Apology
Bot to Emre: You can ask a grown-up you trust to read this with you
Emre presses Send
Clock +30 seconds
Tuğba sees: A child writes
Tuğba does not see: 13
Record of Emre: minor_flag=true significant=true
