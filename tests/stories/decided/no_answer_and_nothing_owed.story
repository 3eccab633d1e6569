# Nothing owed and no answer: reminded once, then lapsed.
Mehmet [tr]: Faturamdaki hizmet bedeli bana hiç açıklanmadan iki katına çıkarıldı.
Bot to Mehmet: Başvuru numaranız
Mehmet presses Bitti
Mehmet: Ekim faturası, hesap 7712
Mehmet: Sadece bilgi istiyorum
Mehmet presses Gönder
Clock +30 seconds
Alice presses Assess on Mehmet's card
Alice fills category=money severity=2 safety=0 complexity=1 reach=1 recurrence=2 immediate_needed=no
Alice submits
Alice presses Investigate on Mehmet's card
Alice fills evidence="complainant_heard|records_checked"
Alice submits
Alice presses Decide on Mehmet's card
Alice fills issues.0.finding=not_upheld issues.0.reasons="Bedel sözleşmenin dördüncü maddesine göre değişti ve size iletildi." others_affected=none root_cause="Sözleşme değişikliği" cause_class=single language_confirmed=yes
Alice submits
Alice submits
Bot to Mehmet: dördüncü maddesine
Clock +16 days
Clock +16 days
Record of Mehmet: state=closed close_code=lapsed reply=none
