"""The case file: tables, transactions, sealing, migrations. Rows never leave this room; frozen values do."""
