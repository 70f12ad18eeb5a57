"""Why a code is not accepted, in words a clerk can say to the person in front of him."""

from citizen_cloud.credentials.verifier import Outcome
from citizen_cloud.errors import Conflict, Forbidden, Invalid
from citizen_cloud.text import Text


class CredentialExpired(Conflict):
    """The code was good once."""

    code = "credential_expired"
    title = Text("凭证已过期", "Code expired")
    detail = Text("此码已过期，不能再使用。", "This code has expired and cannot be used any more.")


class CredentialNotYetValid(Conflict):
    """The code is not good yet."""

    code = "credential_not_yet_valid"
    title = Text("凭证尚未生效", "Code not valid yet")
    detail = Text("此码尚未生效，请稍后再来。", "This code is not valid yet; come back later.")


class CredentialRevoked(Conflict):
    """What the code stood for was cancelled, or a newer code took its place."""

    code = "credential_revoked"
    title = Text("凭证已作废", "Code no longer valid")
    detail = Text(
        "此码已作废：预约已取消，或已换发新码。",
        "This code is void: the booking was cancelled, or a newer code replaced it.",
    )


class CredentialWrongType(Invalid):
    """A code of ours, for something else."""

    code = "credential_wrong_type"
    title = Text("凭证类型不符", "Code for something else")
    detail = Text(
        "这是其他业务的码，请出示对应的码。",
        "This code is for another service; show the right one.",
    )


class CredentialInvalid(Invalid):
    """Not a code of ours at all, or not read whole."""

    code = "credential_invalid"
    title = Text("无法识别的码", "Not a valid code")
    detail = Text(
        "无法识别此码，请重新扫描。", "This is not a code of this city, or it was not read whole."
    )


class CredentialForged(Invalid):
    """The form is ours, the signature is not."""

    code = "credential_signature_invalid"
    title = Text("凭证签名无效", "Code not genuine")
    detail = Text(
        "此码的签名无效，可能被改动或伪造。", "The signature is wrong: altered, forged or misread."
    )


class CredentialUnknownIssuer(Invalid):
    """Signed with a key this city does not use, or uses no more."""

    code = "credential_unknown_issuer"
    title = Text("签发方未知", "Unknown issuer")
    detail = Text(
        "此码的签发方不在名单中，请本人在应用中刷新后重试。",
        "The issuer is not known here; refresh the code in the app and try again.",
    )


class CredentialNotIssued(Invalid):
    """Signed rightly and never issued: somebody else holds the key. Logged for the operators."""

    code = "credential_not_issued"
    title = Text("凭证未经签发", "Code never issued")
    detail = Text(
        "此码没有签发记录，不能使用，请报告管理员。",
        "There is no record that this code was issued; do not accept it, and report it.",
    )


BY_OUTCOME: dict[Outcome, type[Conflict] | type[Invalid]] = {
    Outcome.EXPIRED: CredentialExpired,
    Outcome.NOT_YET_VALID: CredentialNotYetValid,
    Outcome.WRONG_TYPE: CredentialWrongType,
    Outcome.INVALID_SIGNATURE: CredentialForged,
    Outcome.UNKNOWN_ISSUER: CredentialUnknownIssuer,
    Outcome.MALFORMED: CredentialInvalid,
}
# What a door that verifies documents.
ALL = (*BY_OUTCOME.values(), CredentialRevoked, CredentialNotIssued)


class DeviceKeyUnknown(Forbidden):
    """The phone has no key here, or its key has ended."""

    code = "device_key_unknown"
    title = Text("设备未登记", "Phone not registered")
    detail = Text(
        "此设备尚未登记，或登记已失效，请先登记本机。",
        "This phone has no registered key, or the key has ended; register the phone first.",
    )


class ShowKeyUsed(Conflict):
    """A show key serves one code; the app draws a fresh one."""

    code = "show_key_used"
    title = Text("展示密钥已被使用", "Show key already used")
    detail = Text(
        "此展示密钥已用于其他凭证，请生成新密钥后重试。",
        "This show key served another code; draw a fresh one and try again.",
    )


class DeviceKeyRefused(Invalid):
    """Not a key a phone can prove anything with."""

    code = "device_key_invalid"
    title = Text("设备公钥无效", "Not a key for a phone")
    detail = Text(
        "设备公钥应为 P-256 压缩点（33 字节）。",
        "The key must be a compressed point of P-256, 33 bytes.",
    )


class DeviceKeyTaken(Conflict):
    """A key serves one phone of one account, and once."""

    code = "device_key_taken"
    title = Text("设备公钥已被使用", "Key already used")
    detail = Text(
        "此公钥已登记过，请在本机生成新的密钥。",
        "This key was registered before; draw a new one on this phone.",
    )


class ChallengeUnknown(Conflict):
    """Spent, too old, or another phone's."""

    code = "challenge_unknown"
    title = Text("登记口令已失效", "Challenge no longer valid")
    detail = Text(
        "登记口令已使用或已过期，请重新获取。",
        "The challenge was used or has expired; ask for another one.",
    )


class ProofRefused(Forbidden):
    """The signature is not by the key that had to sign."""

    code = "proof_invalid"
    title = Text("签名验证失败", "Proof not valid")
    detail = Text("签名与登记的设备密钥不符。", "The signature is not by the key that had to sign.")


class ShowKeyRefused(Invalid):
    """Not a key that can sign showings."""

    code = "show_key_invalid"
    title = Text("展示公钥无效", "Not a show key")
    detail = Text(
        "展示公钥应为新生成的 P-256 压缩点（33 字节）。",
        "A show key is a fresh compressed point of P-256, 33 bytes.",
    )
