"""Clause 8 as arithmetic on the record: pure, from cases in and figures out; no database, no clock."""
