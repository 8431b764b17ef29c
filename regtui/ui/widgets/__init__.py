"""How values look: lists and trees drawn line by line, bars, the footer, the filter line."""
