"""What every answer tells the browser: who may use it, and that nothing of it is kept, as headers by their names."""

# Of pages and whatever else is no file: nothing from elsewhere, nothing inline, so a script in a service's name does
# not run even unescaped; and none of the devices that a page could ask for.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
PAGE_HEADERS = {
    "Content-Security-Policy": POLICY,
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",  # what a colleague saw does not stay on a shared computer
}
# Of a style sheet, script, picture or the sentence that a delivery gets: opened by itself it may do nothing.
FILE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
