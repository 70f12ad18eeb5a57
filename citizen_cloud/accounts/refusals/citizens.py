"""Why a citizen is not signed in, or keeps the phone as it is."""

from citizen_cloud.errors import Conflict, Forbidden, Invalid, Unauthenticated, Unavailable
from citizen_cloud.text import Text


class AccountSuspended(Forbidden):
    """The account exists and is suspended."""

    code = "account_suspended"
    title = Text("账号已停用", "Account suspended")
    detail = Text("该账号已被停用，请联系客服。", "This account is suspended; ask the help desk.")


class PhoneInvalid(Invalid):
    """The number cannot receive a text message."""

    code = "phone_invalid"
    title = Text("手机号码不正确", "Not a mobile number")
    detail = Text(
        "请输入可以接收短信的手机号码。", "Give a mobile number that can receive a text message."
    )


class OtpInvalid(Unauthenticated):
    """The code is wrong, used, expired, tried too often, or not of this challenge: one answer."""

    code = "otp_invalid"
    title = Text("验证码无效", "Code not accepted")
    detail = Text(
        "验证码错误、已使用或已过期，请重新获取。",
        "The code is wrong, used or expired; ask for a new one.",
    )


class AccountChoiceRequired(Conflict):
    """Several accounts use this phone; repeat with ``account_id``. The code stays unspent."""

    code = "account_choice_required"
    title = Text("请选择账号", "Choose an account")
    detail = Text(
        "该手机号下有多个账号，请选择后重试。",
        "This phone serves several accounts; repeat with the account_id of one.",
    )


class PhoneFull(Conflict):
    """A phone serves at most two accounts."""

    code = "phone_full"
    title = Text("手机号账号已满", "Phone has two accounts")
    detail = Text(
        "一个手机号最多对应两个账号。如该号码为您新办，请携带证件前往服务窗口办理。",
        "A phone serves at most two accounts. If the number is newly yours, visit a service "
        "counter with your document.",
    )


class PhoneMissing(Conflict):
    """The account has no phone that a code could go to."""

    code = "phone_missing"
    title = Text("账号未绑定手机号", "No phone on this account")
    detail = Text(
        "该账号没有手机号，请携带证件前往服务窗口办理。",
        "No phone belongs to this account; visit a service counter with your document.",
    )


class SmsPaused(Unavailable):
    """The hour's budget of texts is spent; registered devices are served longer."""

    code = "sms_paused"
    title = Text("短信发送已暂停", "Texts are paused")
    detail = Text(
        "短信发送量异常，已暂停发送，请稍后再试，或使用已登录过的设备。",
        "Too many texts were asked for in this hour; try later, or from a registered device.",
    )


class AccountNotLiving(Conflict):
    """The person has no account that could be recovered; ``reason``: none or suspended."""

    code = "account_not_living"
    title = Text("没有可恢复的账号", "No account to recover")
    detail = Text(
        "此人没有可恢复的账号：从未开通或已注销的，可用手机号直接开通；已停用的，请先解除停用。",
        "This person has no account that can be recovered. Who never had one, or closed it, opens "
        "one by phone; a suspended one must be released first.",
    )


class RefreshInvalid(Unauthenticated):
    """The refresh token is unknown, used, expired or revoked."""

    code = "refresh_invalid"
    title = Text("登录已失效", "Signed out")
    detail = Text("登录已失效，请重新登录。", "The sign-in is over; sign in again.")
