"""A bot in Python that repeats what is said to it; needs the package websockets.

    npm run bot:create -- echo          # shows the token
    python3 examples/echo_bot.py ws://localhost:3000/ws TOKEN
"""
import asyncio, itertools, json, sys, websockets

async def serve(url, token):
    async with websockets.connect(url) as socket:
        ids = itertools.count(1)
        hello = {"protocol": 1, "token": token, "bot": {"commands": [{"name": "echo", "help": "/echo text"}]}}

        async def call(cmd, data):
            await socket.send(json.dumps({"id": next(ids), "cmd": cmd, "data": data}))

        await call("hello", hello)
        async for text in socket:
            frame = json.loads(text)
            if frame.get("ok") is False:
                print(frame["error"], file=sys.stderr)
            if frame.get("event") == "message.created":
                room, seq, message = (frame["data"][key] for key in ("room", "seq", "message"))
                answer = message["text"].partition(" ")[2].strip() or "Say something after /echo."
                # The cid is made of the event, so that an event that comes twice is answered once.
                await call("message.send", {"room": room, "text": answer, "cid": f"echo-{seq}",
                                            "cause": message["id"], "replyTo": message["id"]})
                await call("bot.ack", {"room": room, "seq": seq})

async def main(url, token):
    while True:
        try:
            await serve(url, token)
        except (OSError, websockets.ConnectionClosed) as error:
            print("connecting again:", error, file=sys.stderr)
        await asyncio.sleep(1)

asyncio.run(main(*sys.argv[1:]))
