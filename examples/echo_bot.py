"""A bot in Python that echoes messages. Requires the package websockets.

    npm run bot:create -- echo          # prints the token
    python3 examples/echo_bot.py ws://localhost:3000/ws TOKEN
"""
import asyncio, json, sys, websockets

async def serve(socket, token):
    bot = {"commands": [{"name": "echo", "help": "/echo text"}]}
    commands, waits = [("hello", {"protocol": 1, "token": token, "bot": bot})], False
    while True:
        if commands and not waits:  # one at a time: an event is handled once its answer is stored
            cmd, data = commands[0]
            await socket.send(json.dumps({"id": cmd, "cmd": cmd, "data": data}))
            waits = True
        frame = json.loads(await socket.recv())
        if "re" in frame:
            waits, error = False, frame.get("error", {"retryable": False})
            if not frame["ok"]: print(cmd, error, file=sys.stderr)
            if error["retryable"]: await asyncio.sleep(error.get("retryAfterMs", 1000) / 1000)
            else: commands.pop(0)
        elif frame["event"] == "message.created":
            room, seq, message = (frame["data"][key] for key in ("room", "seq", "message"))
            answer = message["text"].partition(" ")[2].strip() or "Say something after /echo."
            # Derives the cid from the event, so that a repeated event is answered once.
            commands.append(("message.send", {"room": room, "text": answer, "cid": f"echo-{seq}",
                                              "cause": message["id"], "replyTo": message["id"]}))
            commands.append(("bot.ack", {"room": room, "seq": seq}))
        elif frame["event"] == "bye":
            if not frame["data"]["reconnect"]: sys.exit(frame["data"]["reason"])
            await asyncio.sleep(frame["data"].get("delayMs", 0) / 1000)

async def main(url, token):
    while True:
        try:
            async with websockets.connect(url) as socket: await serve(socket, token)
        except (OSError, websockets.WebSocketException) as error:
            print("reconnecting:", error, file=sys.stderr)
        await asyncio.sleep(1)
asyncio.run(main(*sys.argv[1:]))
