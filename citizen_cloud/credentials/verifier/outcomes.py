"""What a verifier says of a code, and the words for the person who holds it."""

from enum import StrEnum

from citizen_cloud.text import Text


class Outcome(StrEnum):
    """What a verifier says."""

    VALID = "valid"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    REVOKED = "revoked"
    STALE_STATUS = "stale_status"
    STALE_PROOF = "stale_proof"
    REPLAYED = "replayed"
    WRONG_TYPE = "wrong_type"
    WRONG_DEVICE = "wrong_device"
    WRONG_NONCE = "wrong_nonce"
    WRONG_VENUE = "wrong_venue"
    INVALID_SIGNATURE = "invalid_signature"
    UNKNOWN_ISSUER = "unknown_issuer"
    MALFORMED = "malformed"
    # Online only.
    NOT_FOUND = "not_found"
    SIGNED_BUT_NOT_ISSUED = "signed_but_not_issued"
    TIMEOUT = "timeout"


WORDS: dict[Outcome, Text] = {
    Outcome.VALID: Text("有效", "Valid"),
    Outcome.EXPIRED: Text("此码已过期，请刷新后再出示", "Expired; refresh it and show it again"),
    Outcome.NOT_YET_VALID: Text("此码尚未生效", "Not valid yet"),
    Outcome.REVOKED: Text(
        "此码已作废，请刷新后再出示", "No longer valid; refresh the code and show it again"
    ),
    Outcome.STALE_STATUS: Text(
        "本机的状态名单过旧，无法核验；请更新后重试",
        "This verifier's status list is too old to decide; renew it and try again",
    ),
    Outcome.STALE_PROOF: Text(
        "不是当前出示的码（可能是截图），请打开应用出示",
        "Not shown just now (a picture?); open the app and show it",
    ),
    Outcome.REPLAYED: Text(
        "此码刚在本处核验过，请稍候出示新码",
        "Just checked here already; wait for the next code and show that",
    ),
    Outcome.WRONG_TYPE: Text("这是其他业务的码", "A code for something else"),
    Outcome.WRONG_DEVICE: Text(
        "不是由本人设备出示的码", "Not shown by the device it was issued to"
    ),
    Outcome.WRONG_NONCE: Text(
        "未对应本处当前的口令，请扫描本处口令后再出示",
        "Not made for this gate's number; scan the number here and show the code again",
    ),
    Outcome.WRONG_VENUE: Text("此码是为其他场所出示的", "Shown for another place"),
    Outcome.INVALID_SIGNATURE: Text(
        "签名无效：可能被改动或伪造", "The signature is wrong: altered, forged or misread"
    ),
    Outcome.UNKNOWN_ISSUER: Text("签发方不在名单中", "The issuer is not known here"),
    Outcome.MALFORMED: Text("无法识别此码，请重新扫描", "No code, or not read whole; scan again"),
    Outcome.NOT_FOUND: Text("无此码的记录", "There is no record of this code"),
    Outcome.SIGNED_BUT_NOT_ISSUED: Text(
        "此码没有签发记录，请报告管理员", "Never issued; do not accept it, and report it"
    ),
    Outcome.TIMEOUT: Text("核验超时，请重试", "Took too long; try again"),
}
