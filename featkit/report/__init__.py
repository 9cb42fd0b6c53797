"""Tables and plots of a comparison."""

from featkit.report.files import write_comparison
from featkit.report.plots import plot_class_recall, plot_learning_curves
from featkit.report.tables import (
    class_rows,
    difference_rows,
    main_rows,
    markdown_table,
    metric_rows,
    unfinished_note,
)

__all__ = [
    "class_rows",
    "difference_rows",
    "main_rows",
    "markdown_table",
    "metric_rows",
    "plot_class_recall",
    "plot_learning_curves",
    "unfinished_note",
    "write_comparison",
]
