"""Why the accounts room says no, in words a citizen can act on."""

from citizen_cloud.errors import (
    Conflict,
    Forbidden,
    Invalid,
    TooMany,
    Unauthenticated,
    Unavailable,
)
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


class CredentialsInvalid(Unauthenticated):
    """User name, password or code is wrong, or the account is paused after failures: one answer."""

    code = "credentials_invalid"
    title = Text("登录失败", "Sign-in failed")
    detail = Text(
        "用户名、密码或动态码不正确，或因多次失败暂停登录。",
        "The user name, password or code is wrong, or too many attempts paused the sign-in.",
    )


class TotpRequired(Unauthenticated):
    """The password is right; the second factor is missing."""

    code = "totp_required"
    title = Text("请输入动态码", "Second factor required")
    detail = Text("请输入身份验证器中的六位动态码。", "Give the six digits of your authenticator.")


class TotpEnrolmentRequired(Unauthenticated):
    """The first sign-in: add ``secret`` to an authenticator, then repeat with ``totp``."""

    code = "totp_enrolment_required"
    title = Text("请绑定身份验证器", "Set up the second factor")
    detail = Text(
        "请将密钥添加到身份验证器，并附上动态码重新登录。",
        "Add the secret to an authenticator app and repeat the sign-in with its code.",
    )


class PasswordChangeRequired(Unauthenticated):
    """The password is a one-time one: repeat the sign-in with ``new_password`` beside it."""

    code = "password_change_required"
    title = Text("请设置新密码", "Choose a password of your own")
    detail = Text(
        "此密码仅供首次登录，请附上新密码重新登录。",
        "This password opens one sign-in only; repeat it with new_password.",
    )


class TotpWrong(Invalid):
    """The code is not of the authenticator that is being set up, or its time is over."""

    code = "totp_wrong"
    title = Text("动态码不正确", "Code not of this authenticator")
    detail = Text(
        "动态码不正确或绑定已超时，请重新获取密钥。",
        "The code is wrong or the set-up took too long; ask for a secret again.",
    )


class ResetInvalid(Invalid):
    """The code is wrong, used, replaced or expired: one answer."""

    code = "reset_invalid"
    title = Text("重置码无效", "Reset code not accepted")
    detail = Text(
        "重置码错误、已使用或已过期，请重新申请。",
        "The code is wrong, used or expired; ask for another reset.",
    )


class OwnAccount(Forbidden):
    """Nobody opens, suspends or confirms his own account."""

    code = "own_account"
    title = Text("不能处理自己的账号", "Not for your own account")
    detail = Text("此操作须由他人办理。", "Somebody else has to do this for you.")


class SecondPersonRequired(Forbidden):
    """Who asked cannot also agree."""

    code = "second_person_required"
    title = Text("需由另一人确认", "A second person must agree")
    detail = Text("申请人不能确认自己的申请。", "Who asked for it cannot confirm it.")


class PasswordTooWeak(Invalid):
    """The new password is short, long, common, or the user name."""

    code = "password_too_weak"
    title = Text("密码强度不足", "Password too weak")
    detail = Text(
        "密码须为 8–128 个字符，且不能是常见密码或用户名。",
        "A password has 8 to 128 characters and is neither common nor the user name.",
    )


class PasswordWrong(Invalid):
    """The current password does not match."""

    code = "password_wrong"
    title = Text("当前密码不正确", "Current password wrong")
    detail = Text("当前密码不正确。", "The current password is not right.")


class UsernameTaken(Conflict):
    """Somebody has this user name."""

    code = "username_taken"
    title = Text("用户名已被使用", "User name taken")
    detail = Text("该用户名已被使用。", "This user name is in use.")


class ConsentRequired(Forbidden):
    """The citizen has not agreed to this purpose in its present version."""

    code = "consent_required"
    title = Text("需要您的同意", "Consent required")
    detail = Text(
        "请先阅读并同意相关的个人信息处理说明。",
        "Read and accept how your data is used for this purpose first.",
    )


class ConsentOutdated(Conflict):
    """The text was replaced since it was read; ``version`` is the present one."""

    code = "consent_outdated"
    title = Text("说明已更新", "Text has changed")
    detail = Text("说明已更新，请阅读新版本。", "The text has changed; read the present version.")


class IdNumberInvalid(Invalid):
    """The document number breaks a rule; ``part`` says which. The number is never repeated."""

    code = "id_number_invalid"
    title = Text("证件号码不正确", "Document number invalid")
    detail = Text("证件号码不正确，请核对后重试。", "The document number is not valid; check it.")


class NameInvalid(Invalid):
    """The name holds something no name has; ``part`` says what."""

    code = "name_invalid"
    title = Text("姓名格式不正确", "Name invalid")
    detail = Text("姓名含有不支持的内容，请核对后重试。", "The name is not valid; check it.")


class RealNameMismatch(Invalid):
    """Document and name do not belong together."""

    code = "real_name_mismatch"
    title = Text("实名信息不一致", "Name and document do not match")
    detail = Text("证件号码与姓名不一致。", "The name does not belong to this document.")


class DocumentInUse(Conflict):
    """The document is bound to another account; whose is not said."""

    code = "document_in_use"
    title = Text("证件已被使用", "Document in use")
    detail = Text(
        "该证件已绑定其他账号，请在原账号登录或前往服务窗口办理。",
        "The document is bound to another account; sign in there or visit a service counter.",
    )


class AccountHasPerson(Conflict):
    """This account belongs to the holder of another document."""

    code = "account_has_person"
    title = Text("账号已实名", "Account belongs to another document")
    detail = Text(
        "该账号已绑定其他证件。如您是号码的新用户，请以 new_account 重新登录。",
        "The account is bound to another document. New holders of a number sign in with "
        "new_account.",
    )


class VerifierUnavailable(Unavailable):
    """The authority that compares names and documents does not answer."""

    code = "verifier_unavailable"
    title = Text("实名核验暂不可用", "Verification not available")
    detail = Text("实名核验服务暂时不可用，请稍后再试。", "Verification is down; try again later.")


class BulkReadStopped(TooMany):
    """A reader looked at more persons within an hour than anybody serves; it is alarmed."""

    code = "bulk_read_stopped"
    title = Text("查询人数过多", "Too many persons looked at")
    detail = Text(
        "一小时内查询的人数超过上限，已暂停并记录告警。",
        "More persons were looked at within an hour than allowed; this was stopped and reported.",
    )
