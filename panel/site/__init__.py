"""What stands around every page: status bar, palette, shortcuts, templates' environment, middleware, error pages.

Read status_bar.py first."""
