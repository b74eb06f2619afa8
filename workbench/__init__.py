"""KAN Workbench: from a table to a certified formula."""
