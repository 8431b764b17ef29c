"""Scan reports: one parser per format, and the door that finds the right one by the content."""

from regtui.trust.reports.reading import parse_report, read_report, read_scan_report

__all__ = ["parse_report", "read_report", "read_scan_report"]
