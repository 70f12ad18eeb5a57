"""The few pages a browser shows on its way between a partner and the app."""

from flask import Response
from markupsafe import escape

from citizen_cloud.text import Text

SAFETY = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; "
    "form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
    "X-Frame-Options": "DENY",
}
PAGE = """<!doctype html><html lang="zh-CN"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>
<style>body{{font:1.2rem/1.6 sans-serif;max-width:32rem;margin:3rem auto;padding:0 1rem}}</style>
<h1>{title}</h1><p>{zh}</p><p lang="en">{en}</p></html>"""


def page(title: Text, words: Text, *, status: int = 200) -> Response:
    """Return a page in both languages, which nothing may frame."""
    body = PAGE.format(
        title=escape(f"{title.zh} · {title.en}"), zh=escape(words.zh), en=escape(words.en)
    )
    return Response(body, status=status, mimetype="text/html", headers=SAFETY)


def refused(code: str) -> Response:
    """Say that a partner's request is wrong: nobody is sent on to an address from it."""
    return page(
        Text("无法继续授权", "This cannot go on"),
        Text(
            f"合作方的请求有误（{code}）。请返回原应用重试，或联系该机构。",
            f"The partner's request is wrong ({code}). Go back and try again, or tell the partner.",
        ),
        status=400,
    )


def open_in_app() -> Response:
    """Say that the app is where to go on."""
    return page(
        Text("请在市民云应用中继续", "Go on in the app"),
        Text(
            "请在手机上打开市民云应用，查看并确认授权。",
            "Open the Citizen Cloud app on your telephone to see what is asked and to answer.",
        ),
    )


def logged_out() -> Response:
    """Say what a log-out did."""
    return page(
        Text("已退出", "Signed out"),
        Text(
            "您已在合作方退出。市民云应用仍保持登录。",
            "You are signed out at the partner. You are still signed in in the app.",
        ),
    )


def nothing_ended() -> Response:
    """Say that a log-out named no sign-in: who sits at a shared screen must not rely on it."""
    return page(
        Text("未能退出", "Not signed out"),
        Text(
            "请求未指明要退出的登录，本页没有退出任何登录。请在合作方页面退出，或在市民云应用中撤回授权。",
            "The request named no sign-in, so nothing was ended here. Sign out at the partner, or "
            "take your consent back in the Citizen Cloud app.",
        ),
    )
