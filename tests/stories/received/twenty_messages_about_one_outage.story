# Twenty people write about one outage: the first become complaints, the others are asked "is it this?", all are told at once.
5 people write: There is no water in the whole of Mill Lane since six this morning, the tap is dry.
Clock +30 seconds
Bot to people 1-5: What would put this right

Alice presses Incident on Person-1's card
Alice fills which=new what="No water in Mill Lane" area="Mill Lane" line.en="We know that there is no water in Mill Lane since six this morning. We are looking for the burst pipe." line.tr="Değirmen Sokak'ta sabah altıdan beri su olmadığını biliyoruz. Patlayan boruyu arıyoruz." signs.en="no water, dry" signs.tr="su yok"
Alice submits
Record of Person-1: incident_id=1
Alice presses Join on the incident card
Alice fills other_ref=ref:Person-2
Alice submits
Alice presses Incident on Person-3's card
Alice fills which=1
Alice submits
Records of people 1-3: incident_id=1

13 people write: No water at our house in Mill Lane, the kitchen tap is dry.
Clock +30 seconds
Bot to people 6-18: Is it this? … no water in Mill Lane
People 6-15 press Yes
Bot to people 6-15: You do not need to answer anything else
Bot to people 6-15: We have your complaint
Bot never told people 6-15: Where did it happen
People 16-17 press Yes, and more
Bot to people 16-17: Where did it happen
People 18-18 press No
Bot to people 18-18: Where did it happen
Records of people 6-17: incident_id=1
Record of Person-18: incident_id=none

# Turkish, and typed.
1 people write [tr]: Sabahtan beri evde su yok, musluklar kupkuru.
Clock +30 seconds
Bot to Person-19: Konu bu mu? … su olmadığını biliyoruz
Person-19: evet
Record of Person-19: incident_id=1

# One who needs more than all the others is left out for a person.
1 people write: No water since six, the tap is dry. Your clerk insulted my mother because she is disabled.
Clock +30 seconds
Person-20 presses Yes
Clock +10 seconds
Alice sees: No water in Mill Lane

Alice presses Update all on the incident card
Alice fills text.en="The pipe is mended. Let the tap run for a minute before you drink." text.tr="Boru onarıldı. İçmeden önce suyu bir dakika akıtın."
Alice submits
Alice sees: This goes to 14 complainants
Alice sees: The pipe is mended
Alice sees: more that are not shown here
Alice sees: (also about another matter)
Alice submits
Bot to people 1-3: The pipe is mended
Bot to people 6-15: The pipe is mended
Bot to Person-19: Boru onarıldı
Bot never told people 16-18: The pipe is mended
Bot never told Person-20: The pipe is mended
Clock +10 seconds
Alice sees: sent 14, waiting 0

# Each keeps an own complaint: status, and an end of its own.
Person-6: /status
Bot to Person-6: What we know … no water in Mill Lane
Alice presses End on the incident card
Alice submits
Alice sees: Ended
1 people write: No water in Mill Lane this evening, the tap is dry as a bone.
Clock +30 seconds
Bot to Person-21: What would put this right
Figures: incidents=1 complaints=17
