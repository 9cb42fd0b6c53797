"""Tables and plots of a comparison, and the report as one HTML file."""

from featkit.report.contrast_tables import contrast_rows, target_rows
from featkit.report.files import write_comparison
from featkit.report.frozen_plot import plot_frozen_against_finetuned
from featkit.report.leakage import (
    leakage_class_rows,
    leakage_note,
    leakage_rows,
    write_leakage,
)
from featkit.report.page import write_page
from featkit.report.plots import plot_class_recall, plot_learning_curves
from featkit.report.tables import (
    class_rows,
    cost_rows,
    difference_rows,
    main_rows,
    markdown_table,
    metric_rows,
    reading_notes,
)

__all__ = [
    "class_rows",
    "contrast_rows",
    "cost_rows",
    "difference_rows",
    "leakage_class_rows",
    "leakage_note",
    "leakage_rows",
    "main_rows",
    "markdown_table",
    "metric_rows",
    "plot_class_recall",
    "plot_frozen_against_finetuned",
    "plot_learning_curves",
    "reading_notes",
    "target_rows",
    "write_comparison",
    "write_leakage",
    "write_page",
]
