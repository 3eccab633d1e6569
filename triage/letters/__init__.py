"""Warnings about letters of staff, before they are sent."""
