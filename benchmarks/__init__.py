"""Measures regtui against the programs and limits that its goals are stated in; see docs/performance.md."""
