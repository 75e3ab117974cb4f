"""Whole stores written and read table by table."""
