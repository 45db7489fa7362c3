"""Hand an event over: plain folders with readable names, a BagIt bag, or either as one zip file."""

from archiver.export.exporting import Exported, ExportError, Order, check_targets, export

__all__ = ["ExportError", "Exported", "Order", "check_targets", "export"]
