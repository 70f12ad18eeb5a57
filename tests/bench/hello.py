"""The yardstick: Flask that says hello, under the same server and worker."""

from flask import Flask

app = Flask(__name__, static_folder=None)


@app.get("/")
@app.get("/readyz")
def hello() -> str:
    return "hello"


application = app
