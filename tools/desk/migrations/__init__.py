"""The versions of the desk's tables, applied when the desk's shop is opened."""
