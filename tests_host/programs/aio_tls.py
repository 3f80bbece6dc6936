"""TLS through asyncio's streams, on every link at once."""

import asyncio

import online
import tls

context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
context.verify_mode = tls.CERT_REQUIRED
with open("ca.der", "rb") as f:
    context.load_verify_locations(f.read())


async def ask(host):
    reader, writer = await asyncio.open_connection(host, 443, ssl=context, server_hostname=host)
    try:
        writer.write(b"version\n")
        await writer.drain()
        version = await reader.readline()
        writer.write(b"echo\n")
        writer.write(b"z" * 5000)
        await writer.drain()
        return version, await reader.readexactly(5000) == b"z" * 5000
    finally:
        writer.close()
        await writer.wait_closed()


async def main():
    hosts = ["old.example", "new.example"] * (online.modem.LINKS // 2)
    answers = await asyncio.gather(*[ask(host) for host in hosts])
    print("all", set(answers) == {(b"TLSv1.2\n", True), (b"TLSv1.3\n", True)}, len(answers) == len(hosts))
    for host in ("wrong.example", "expired.example"):
        try:
            print(await ask(host))
        except (OSError, ValueError) as e:
            print(host, "refused:", str(e).strip())


asyncio.run(main())
online.use_all_links(("echo.example", 7))
