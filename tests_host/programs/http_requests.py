"""Gets pages, follows a redirection, posts, uploads in chunks and downloads a lot, with `requests`."""

import hashlib
import sys

import online
import requests


def text(digest):
    return "".join(["%02x" % byte for byte in digest.digest()])


response = requests.get("http://www.example/greeting")
print("get", response.status_code, response.headers["X-Kind"], response.text)

response = requests.get("http://www.example/missing")
print("missing", response.status_code, response.reason, response.content)

response = requests.head("http://www.example/greeting")
print("head", response.status_code, response.content)

response = requests.get("http://www.example/moved")
print("moved", response.status_code, response.text)

response = requests.post("http://www.example/form", data=b"\x00body" * 1000)
print("post", response.status_code, response.text)

response = requests.put("http://www.example/json", json={"answer": 42})
print("json", response.status_code, response.json())


def pieces():
    for n in range(12):
        yield bytes([n]) * (250 * n + 1)


response = requests.post("http://www.example/chunked", data=pieces())
print("chunked", response.status_code, response.text)

response = requests.get("http://www.example/" + sys.argv[1], timeout=30)
digest = hashlib.sha256()
total = 0
buf = bytearray(4096)
while True:
    n = response.raw.readinto(buf)
    if not n:
        break
    total += n
    digest.update(memoryview(buf)[:n])
response.close()
print("large", total, text(digest))

online.use_all_links(("www.example", 80), b"HEAD /greeting HTTP/1.0\r\n\r\n")
