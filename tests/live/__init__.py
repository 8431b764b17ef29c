"""Smoke runs against real vendors, for whoever has an account: see smoke.py."""
