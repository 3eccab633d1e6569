"""`amends triage`: propose, train, evaluate and promote models of the initial assessment (7.5)."""
