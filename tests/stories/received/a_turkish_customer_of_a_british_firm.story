# Ayşe came by the link of Turkey: its Saturdays, its bodies, its numbers and its evenings hold for her, London's for Anna.
Ayşe [tr]: /start tr
Bot to Ayşe: şu ülkenin kuralları uygulanır: Türkiye
Ayşe: /how
Bot to Ayşe: Tüketici Hakem Heyeti
Bot never told Ayşe: Consumer ombudsman
Ayşe: Faturamda aynı ödeme iki kez alınmış ve kimse telefona cevap vermiyor.
Ayşe presses Bitti
Ayşe: Ankara, abone 8841207, bu ay
Ayşe presses Para iadesi
Bot to Ayşe: 5 Aralık 2026
Ayşe presses Gönder
Bot to Ayşe: 24 Kasım 2026, 13:30
Anna [en]: You charged me twice for the same repair in October.
Anna presses Done
Bot to Anna: 8 December 2026
Anna: 12 Mill Lane, account 8841208, in October
Anna presses Money back
Anna presses Send
Clock +1 minute
Record of Ayşe: jurisdiction=TR language=tr
Record of Anna: jurisdiction=GB language=en
Ayşe: Bir de evde doğalgaz kokusu var!
Bot to Ayşe: 187
Bot never told Ayşe: 0800 111 999
Mona presses Receipt on Ayşe's card
Ayşe presses Geçti, bitti
Alice presses Assess on Anna's card
Alice fills category=money severity=2 safety=0 complexity=1 reach=1 recurrence=2 immediate_needed=no
Alice submits
Bot to Anna: 1 December 2026
Alice presses Assess on Ayşe's card
Alice fills category=safety severity=5 safety=3 complexity=1 reach=1 recurrence=2 immediate_needed=no
Alice submits
Clock +6 hours
Clock +45 minutes
Alice presses Reply on Ayşe's card
Alice fills text="Gaz ekibi yola çıktı." language_confirmed=yes
Alice submits
Alice sees: 08:00
Alice submits
Bot never told Ayşe: Gaz ekibi
Alice presses Reply on Anna's card
Alice fills text="We have found both payments."
Alice submits
Alice does not see: Leaves at
Alice submits
Bot to Anna: We have found both payments
Clock +12 hours
Bot told Ayşe once: Gaz ekibi yola çıktı.
