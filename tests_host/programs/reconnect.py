"""Says good-bye, connects again at once, and asks."""

import online  # noqa: F401
import socket

wrong = []
for _ in range(10):
    s = socket.socket()
    s.connect(("echo.example", 7))
    s.write(b"QUIT")
    s.read(1)
    s.close()

    s = socket.socket()
    s.settimeout(20)
    try:
        s.connect(("echo.example", 7))
        s.write(b"question")
        answer = s.read(8)
        s.write(b"QUIT")
        answer += s.read()
    except OSError as e:
        answer = e
    s.close()
    if answer != b"question":
        wrong.append(answer)
print("wrong", wrong)
