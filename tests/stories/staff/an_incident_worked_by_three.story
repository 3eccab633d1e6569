# One incident, several members of staff: a handler opens it, a manager words it anew and takes it over, another handler's complaint joins.
3 people write: The whole of Harbour Street is dark since eight, no electricity in any house.
Clock +30 seconds
Burak presses Incident on Person-1's card
Burak fills which=new what="Blackout" area="Harbour Street" line.en="We know that Harbour Street has no power since eight. We look for the cable." line.tr="Liman Sokak'ta sekizden beri elektrik olmadığını biliyoruz." signs.en="dark, no power, no electricity" signs.tr="elektrik yok"
Burak submits
Alice presses Incident on Person-2's card
Alice fills which=1
Alice submits
Records of people 1-2: incident_id=1
Mona presses Update all on the incident card
Mona fills text.en="The cable is mended. Reset your main switch if it stays dark."
Mona submits
Mona sees: This goes to 2 complainants
Mona submits
Bot to people 1-2: The cable is mended
Bot never told Person-3: The cable is mended
1 people write: No electricity in Harbour Street, number 9 is dark too.
Clock +30 seconds
Bot to Person-4: Is it this? … Harbour Street has no power
Person-4 presses Yes
Bot to Person-4: You do not need to answer anything else
Bot to Person-4: We have your complaint
Bot never told Person-4: You did not press Send
Record of Person-4: incident_id=1
