"""Find canaries wherever they lie: in clear, in other encodings, in every place of a city.

A canary is a phone, number or name made up for one run. Every place is read as its owner would
lose it: the dump of the database, every key of Redis, the logs, the metrics, the error bodies.
"""

import base64
import json
import re
import subprocess
from pathlib import Path
from urllib.parse import quote, quote_plus

from redis import Redis

from citizen_cloud.embedded import programs

_TIMES = re.compile(rb"\d\d:\d\d:\d\d[.,]\d+")


def forms(value):
    """Return how a value may lie in bytes, by the name of the form."""
    utf8 = value.encode()
    found = {
        "clear": utf8,
        "utf-16-le": value.encode("utf-16-le"),
        "utf-16-be": value.encode("utf-16-be"),
        "gb18030": value.encode("gb18030"),
        "hex": utf8.hex().encode(),
        "hex, upper case": utf8.hex().upper().encode(),
        "hex of utf-16": value.encode("utf-16-be").hex().encode(),
        "url": quote(value, safe="").encode(),
        "url, as a form": quote_plus(value).encode(),
        "url, every byte": "".join(f"%{byte:02X}" for byte in utf8).encode(),
        "json": json.dumps(value)[1:-1].encode(),
        "json in json": json.dumps(json.dumps(value)[1:-1])[1:-1].encode(),
        "reversed": value[::-1].encode(),
    }
    for skipped in range(3):
        found[f"base64, {skipped} bytes in"] = _base64(utf8, skipped)
        found[f"base64 for urls, {skipped} bytes in"] = _base64(utf8, skipped).translate(
            bytes.maketrans(b"+/", b"-_")
        )
    return {name: form for name, form in found.items() if len(form) >= 6}


def _base64(raw, skipped):
    """Return what stays the same of an encoding, whatever stands before and behind."""
    encoded = base64.b64encode(b"\0" * skipped + raw)
    first = (0, 2, 3)[skipped]
    last = (len(raw) + skipped) * 8 // 6
    return encoded[first:last]


def find(canaries, places):
    """Return (place, canary, form) of every canary that lies somewhere."""
    return [
        (place, name, form)
        for place, content in places.items()
        for name, value in canaries.items()
        for form, looks in forms(value).items()
        if looks in content
    ]


def tables(canaries, content):
    """Return (table, canary, form) of every canary in a dump: where to look for who wrote it."""
    parts = re.split(rb"^COPY ([a-z_.]+) ", content, flags=re.MULTILINE)
    rows = dict(zip(parts[1::2], parts[2::2], strict=True))
    return find(canaries, {name.decode(): part for name, part in rows.items()})


def find_codes(codes, places):
    """Return (place, code) where a one-time code stands by itself, not within a time or number."""
    return [
        (place, code)
        for place, content in places.items()
        for code in codes
        if re.search(
            rb"(?<![0-9A-Za-z_.\\-])" + code.encode() + rb"(?![0-9A-Za-z_\\-])",
            _TIMES.sub(b"", content),
        )
    ]


def dump(url):
    """Return everything a database holds, as ``pg_dump`` writes it."""
    pg_dump = programs._package(programs.WHEEL) / programs.INSTALL / "bin" / "pg_dump"
    done = subprocess.run([pg_dump, url], capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def redis_content(url):
    """Return every key and value of a Redis, as its commands show them and as it dumps them."""
    with Redis.from_url(url) as client:
        parts = []
        for key in client.scan_iter():
            read = {b"string": client.get, b"hash": client.hgetall}.get(client.type(key))
            value = read(key) if read else client.dump(key)
            parts += [key, value if isinstance(value, bytes) else repr(value).encode()]
    return b"\n".join(parts)


def files(folder):
    """Return what the files below a folder hold, by path."""
    return {str(path): path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}
