"""The evidence measured on real files: what is read of them, and ways to combine screens."""
