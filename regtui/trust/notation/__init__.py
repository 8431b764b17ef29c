"""Notary Project signatures: envelopes, certificate chains, trust stores and trust policies."""
