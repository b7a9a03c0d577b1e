"""The sandbox as a server: sockets, the API's address, what goes back to callers, the control page and its books.

`manage.py sandbox` starts it. Read server.py first."""
