"""Servers that the tests make up: on loopback, with faults and vendors that no real server here can show."""
