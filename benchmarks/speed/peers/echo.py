"""A FastAPI route that does nothing but read the request's JSON and answer bytes of the size of our answer."""

import os
from pathlib import Path

import orjson
from fastapi import FastAPI, Request, Response

ANSWER = Path(os.environ["ECHO_ANSWER"]).read_bytes()
app = FastAPI()


@app.post("/v1/score")
async def echo(request: Request) -> Response:
    orjson.loads(await request.body())
    return Response(ANSWER, media_type="application/json")


@app.get("/ready")
async def ready() -> Response:
    return Response(b"{}", media_type="application/json")
