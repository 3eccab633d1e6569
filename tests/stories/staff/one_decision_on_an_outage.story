# One outage, one decision: previewed, approved by a second person, and each complainant gets a letter of their own.
3 people write: The whole of Harbour Street is dark since eight, no electricity in any house.
1 people write [tr]: Liman Sokak'ta sekizden beri elektrik yok, bütün evler karanlık.
Clock +35 minutes
Mona presses Incident on Person-1's card
Mona fills which=new what="Blackout" area="Harbour Street" line.en="We know that Harbour Street has no power." signs.en="dark, no power, no electricity" signs.tr="elektrik yok"
Mona submits
Mona presses Join on the incident card
Mona fills other_ref=ref:Person-2
Mona submits
Mona presses Join on the incident card
Mona fills other_ref=ref:Person-3
Mona submits
Mona presses Join on the incident card
Mona fills other_ref=ref:Person-4
Mona submits
Records of people 1-4: incident_id=1
Mona presses Decide all on the incident card
Mona fills finding=upheld reasons.en="Our cable broke." reasons.tr="Kablomuz koptu." type=compensation amount=25 changes.en="We lay a second cable." changes.tr="İkinci bir kablo döşüyoruz." category=supply reach=3 recurrence=2 evidence="complainant_heard|records_checked|staff_statement|rule_or_contract"
Mona submits
Mona sees: This decides 4 complaints
Mona sees: Kablomuz koptu.
Mona submits
Bot never told people 1-4: Our cable broke.

# A message after the preview is for a person.
Person-3: We had guests that evening and had to send them home.
Clock +30 seconds
Tuğba presses Approve in the direct message
Tuğba sees: Each gets 25.00 GBP. Together that is 75.00 GBP.
Tuğba sees: wrote in the meantime 1
Tuğba fills agreed=yes
Tuğba submits
Tuğba presses Take back in the direct message
Tuğba sees: 4 letters are taken back
Clock +20 seconds
Bot never told people 1-4: Our cable broke.
Records of people 1-4: state=received
Tuğba presses Approve on the incident card
Tuğba fills agreed=yes
Tuğba submits
Clock +10 seconds
Bot to people 1-2: Our cable broke. … £25.00 … We lay a second cable. … If you disagree
Bot to Person-4: Kablomuz koptu. … İkinci bir kablo döşüyoruz.
Bot never told Person-3: Our cable broke.
Records of people 1-2: state=remedying
Record of Person-3: state=received
Clock +10 seconds
Mona sees: 3 of 4 decided
Mona sees: wrote in the meantime 1

# Who disagrees goes the usual way.
Person-1 presses I disagree
Record of Person-1: state=escalated
Person-2 presses I accept
Record of Person-2: state=remedying
