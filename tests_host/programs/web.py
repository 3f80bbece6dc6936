"""A web server with microdot, on the port that is its argument."""

import asyncio
import sys

import online
from microdot import Microdot, Response

app = Microdot()


@app.get("/")
async def index(request):
    return "Hello from the modem"


@app.post("/items/<int:number>")
async def item(request, number):
    return {"number": number, "length": len(request.body), "name": request.args.get("name")}


@app.get("/large")
async def large(request):
    async def pieces():
        for n in range(20):
            yield bytes([n]) * 1000

    return Response(pieces())


@app.get("/shutdown")
async def shutdown(request):
    over.set()
    return "bye"


async def main():
    server = asyncio.create_task(app.start_server(port=int(sys.argv[1])))
    print("serving")
    await over.wait()
    await asyncio.sleep_ms(300)  # for that answer
    app.shutdown()
    await server


over = asyncio.Event()
asyncio.run(main())
print("shut down")
online.use_all_links(("echo.example", 7))
