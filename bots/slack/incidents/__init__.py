"""Incidents in Slack: their card, their forms, and the update and the decision of all their complaints."""
