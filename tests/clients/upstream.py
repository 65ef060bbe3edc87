"""A server that sends back what it reads, for the proxies of the other files here."""

import socket
import threading


def serve():
    """Starts it in this process, and gives its port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def answer(connection):
        with connection:
            while data := connection.recv(65536):
                connection.sendall(data)

    def accept():
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return listener.getsockname()[1]


def exchange(address, message=b"hello", timeout=10):
    """Sends a message over a new connection, and gives what comes back."""
    host, port = address.rsplit(":", 1)
    host = {"[::]": "127.0.0.1", "0.0.0.0": "127.0.0.1"}.get(host, host)
    with socket.create_connection((host, int(port)), timeout=timeout) as connection:
        connection.sendall(message)
        back = b""
        while len(back) < len(message):
            data = connection.recv(65536)
            if not data:
                break
            back += data
        return back
