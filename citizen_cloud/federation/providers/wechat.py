"""WeChat mini-programs: ``jscode2session``.

The answer is JSON under ``text/plain``, and an error is a 200 with ``errcode``. ``session_key``
decrypts what the phone encrypts: it is neither kept nor passed on. The subject is the openid, which
stays the same for one appid; a unionid may appear later, so nothing hangs on it.
"""

from datetime import datetime
from typing import Any

from citizen_cloud.federation.providers.wire import Wire
from citizen_cloud.federation.refusals import FederatedCodeInvalid
from citizen_cloud.federation.rules import TITLES, Kind, Started, Vouched, is_subject

# Invalid; used before; not in its form; blocked as risky by WeChat
CODE_REFUSED = frozenset({40029, 40163, 41008, 40226})


class WeChatMiniProgram:
    """Exchanges the code of ``wx.login``."""

    name = "wechat"
    kind: Kind = "mini_program"
    title = TITLES["wechat"]

    def __init__(self, *, appid: str, secret: str, url: str, wire: Wire | None = None) -> None:
        self._url = url
        self._wire = wire or Wire(self.name)
        self._asked = {"appid": appid, "secret": secret, "grant_type": "authorization_code"}

    def exchange(self, code: str, *, started: Started | None, now: datetime) -> Vouched:
        """Return whose code it is.

        Raises ``FederatedCodeInvalid`` or ``ProviderUnavailable``. WeChat logs in silently, so
        this is never fresh.
        """
        answer = self._wire.ask("GET", self._url, params={**self._asked, "js_code": code})
        if not answer.is_success:
            raise self._wire.failed(f"status {answer.status}")
        return Vouched(subject=self._openid(self._wire.object_of(answer.content)))

    def _openid(self, said: dict[str, Any]) -> str:
        error = said.get("errcode", 0)
        if not isinstance(error, int):
            raise self._wire.failed("errcode unclear")
        if error in CODE_REFUSED:
            raise FederatedCodeInvalid
        if error != 0:
            # -1 busy, 45011 too often; 40013, 40125: appid or secret of this installation
            raise self._wire.failed(f"errcode {error}")
        openid = said.get("openid")
        if not isinstance(openid, str) or not is_subject(openid):
            raise self._wire.failed("no openid")
        return openid
