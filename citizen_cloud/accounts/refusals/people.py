"""Why a person is not believed, or not shown."""

from citizen_cloud.errors import Conflict, Forbidden, Invalid, TooMany, Unavailable
from citizen_cloud.text import Text


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
