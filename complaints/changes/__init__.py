"""What each verb changes in a case: one small function a verb, from case and event to case."""
