"""Why staff are not signed in, or keep their factors as they are."""

from citizen_cloud.errors import Conflict, Forbidden, Invalid, Unauthenticated
from citizen_cloud.text import Text


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


class UnderAge(Forbidden):
    """No child is an official: a parent would be two people with his child's document."""

    code = "under_age"
    title = Text("未满十八周岁", "Under 18")
    detail = Text(
        "未满十八周岁者不能绑定工作人员账号。",
        "Nobody under 18 can be whom a staff account stands for.",
    )


class BindingCodeInvalid(Invalid):
    """The code is wrong, used, replaced or expired: one answer."""

    code = "binding_code_invalid"
    title = Text("绑定码无效", "Binding code not accepted")
    detail = Text(
        "绑定码错误、已使用或已过期，请用工作人员账号重新获取。",
        "The code is wrong, used or expired; ask for another one with the staff account.",
    )


class OwnAccount(Forbidden):
    """Nobody opens, suspends or confirms his own account."""

    code = "own_account"
    title = Text("不能处理自己的账号", "Not for your own account")
    detail = Text("此操作须由他人办理。", "Somebody else has to do this for you.")


class SecondPersonRequired(Forbidden):
    """Who asked cannot also agree, nor an account that may be the same person's."""

    code = "second_person_required"
    title = Text("需由另一人确认", "A second person must agree")
    detail = Text(
        "须由另一人确认；在服务窗口，七天内双方账号不得由对方或同一人开通或重置。",
        "Somebody else has to agree. At a counter, within seven days neither account may have been "
        "let in or reset by the other, nor both by one person.",
    )


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
