"""What the lists know: rows, trees, folding, filters. Plain Python, no Textual, tested with plain asserts."""
