"""What the panes say about an image: pure functions from values to inert lines and rows."""
