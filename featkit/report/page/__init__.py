"""The report: one HTML file that says everything that the Runs say."""

from featkit.report.page.writing import write_page

__all__ = ["write_page"]
