"""WeChat's jscode2session as it really answers."""

import json

import pytest
import stubs

from citizen_cloud import clock
from citizen_cloud.federation.refusals import FederatedCodeInvalid, ProviderUnavailable


def exchange(port, code):
    return port.exchange(code, started=None, now=clock.now())


def test_json_under_text_plain_is_read(wechat, wechat_port):
    vouched = exchange(wechat_port, wechat.code_for("oABC-1_x"))
    assert (vouched.subject, vouched.level, vouched.is_fresh) == ("oABC-1_x", 1, False)
    _, path, query, _, headers = wechat.asked[0]
    assert path == "/sns/jscode2session"
    assert query.keys() == {"appid", "secret", "js_code", "grant_type"}
    assert headers["Accept-Encoding"] == "identity"


def test_nothing_of_the_session_key_is_passed_on(wechat, wechat_port):
    vouched = exchange(wechat_port, wechat.code_for("oABC"))
    assert wechat.session_key not in repr(vouched)


def test_a_wrong_and_a_used_code_are_one_refusal(wechat, wechat_port):
    with pytest.raises(FederatedCodeInvalid):
        exchange(wechat_port, "never-given")
    code = wechat.code_for("oABC")
    exchange(wechat_port, code)
    with pytest.raises(FederatedCodeInvalid):
        exchange(wechat_port, code)


@pytest.mark.parametrize("errcode", [-1, 45011, 40013, 40125, 99999, "40029", 1.5, True, [], {}])
def test_every_other_error_is_the_providers_trouble(wechat, wechat_port, errcode):
    wechat.error = errcode
    with pytest.raises(ProviderUnavailable) as caught:
        exchange(wechat_port, wechat.code_for("oABC"))
    assert caught.value.facts["retry_after"] > 0


@pytest.mark.parametrize("openid", [None, "", 5, "o" * 256, "with blank", "控制", ["o"]])
def test_an_answer_without_a_usable_openid_is_none(wechat, wechat_port, openid):
    wechat.instead = stubs.status(200, json.dumps({"openid": openid}).encode())
    with pytest.raises(ProviderUnavailable):
        exchange(wechat_port, "a-code")


def test_a_code_is_sent_once_even_when_the_answer_is_lost(wechat, wechat_port):
    wechat.instead = stubs.hang_up
    with pytest.raises(ProviderUnavailable):
        exchange(wechat_port, "a-code")
    assert len(wechat.asked) == 1
