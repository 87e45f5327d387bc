"""Answers to text for people and JSON for scripts. Pure: returns strings, never prints."""
