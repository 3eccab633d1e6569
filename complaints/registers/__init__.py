"""The registers of what is not a complaint: improvement, policy, plan, audit, review and others (clauses 5, 6, 8)."""
