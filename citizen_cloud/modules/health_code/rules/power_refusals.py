"""Why a colour is not given, a batch not taken, an appeal not opened."""

from citizen_cloud.errors import Conflict, Forbidden, Invalid
from citizen_cloud.text import Text


class BatchTooLarge(Invalid):
    """More people than one proposal may hold; the auditors are told of it."""

    code = "batch_too_large"
    title = Text("赋码人数超限", "Too many people at once")
    detail = Text(
        "一次最多为 {cap} 人赋码。本次提交已被拒绝并上报审计。",
        "At most {cap} people at once. This was refused and reported to the auditors.",
    )


class PersonUnknown(Invalid):
    """Somebody in the list is not known here by this document and name."""

    code = "person_unknown"
    title = Text("名单中有人无法确认", "Somebody in the list is not known")
    detail = Text(
        "名单中有人的证件与姓名无法对应。", "A document and name in the list are nobody's here."
    )


class OwnPerson(Forbidden):
    """Nobody decides about himself."""

    code = "own_person"
    title = Text("不能为本人赋码", "Not about yourself")
    detail = Text("不能提出对本人的赋码。", "You may not propose this about yourself.")


class UnitRequired(Forbidden):
    """Only a public authority may do this."""

    code = "authority_required"
    title = Text("仅限主管部门", "Public authorities only")
    detail = Text("此操作仅限主管部门办理。", "Only a public authority may do this.")


class OwnDecision(Forbidden):
    """The unit that gave the colour is not the one to refuse the appeal."""

    code = "other_unit_required"
    title = Text("须由其他部门处理", "Another unit decides")
    detail = Text(
        "赋码部门不得处理针对本部门赋码的申诉。",
        "Whoever gave the colour does not decide the appeal against it.",
    )


class SourceUnfit(Invalid):
    """The system or its key cannot be registered."""

    code = "source_unfit"
    title = Text("无法登记为数据来源", "Cannot be a source")
    detail = Text("该系统或其公钥无法登记。", "The system or its public key cannot be registered.")


class SourceTaken(Conflict):
    """The system is a source already, or the key belongs to one."""

    code = "source_exists"
    title = Text("来源或公钥已登记", "Registered already")
    detail = Text(
        "该系统已是数据来源，或公钥已被使用。",
        "The system is a source, or its key was used before.",
    )


class NoSource(Forbidden):
    """The caller is no registered source: nobody colours anybody from here."""

    code = "not_a_source"
    title = Text("未登记的数据来源", "Not a registered source")
    detail = Text(
        "只有经两个部门批准登记的来源可以报送。",
        "Only a source that two authorities agreed to register may report.",
    )


class SignatureWrong(Forbidden):
    """The bytes were not signed by the source's key."""

    code = "signature_invalid"
    title = Text("签名不正确", "Signature invalid")
    detail = Text("报送内容的签名与登记的公钥不符。", "The signature is not the registered key's.")


class BatchReused(Invalid):
    """The batch's id was used for other content."""

    code = "batch_id_reused"
    title = Text("批次编号已被使用", "Batch id reused")
    detail = Text(
        "该批次编号已用于内容不同的报送。", "This id was used for a batch of other content."
    )


class BatchRejected(Invalid):
    """Rows are wrong and nothing was applied; ``report`` names them."""

    code = "batch_rejected"
    title = Text("有数据行未通过", "Rows are wrong")
    detail = Text(
        "{rejected} 行未通过，全部未生效。", "{rejected} rows are wrong; nothing was applied."
    )


class BatchUnreadable(Invalid):
    """The file cannot be read; nothing was applied."""

    code = "batch_unreadable"
    title = Text("无法读取文件", "Unreadable file")
    detail = Text("文件无法读取，全部未生效。", "The file cannot be read; nothing was applied.")


class BatchGone(Conflict):
    """The batch no longer waits, or its source was retired."""

    code = "batch_over"
    title = Text("该批次已结束", "The batch is over")
    detail = Text("该批次已处理，或来源已停用。", "The batch was decided, or its source retired.")


class NothingToAppeal(Conflict):
    """The code is neither red nor yellow, or the record is not there."""

    code = "nothing_to_appeal"
    title = Text("没有可申诉的内容", "Nothing to object to")
    detail = Text("当前健康码不是红码或黄码。", "The code is neither red nor yellow now.")


class AppealOpen(Conflict):
    """One at a time."""

    code = "appeal_open"
    title = Text("已有申诉在处理", "One is open already")
    detail = Text("您已有一件正在处理。", "One of yours is being worked on already.")


class AppealOver(Conflict):
    """It was decided, or waits for its approvers."""

    code = "appeal_over"
    title = Text("该申诉已处理", "The appeal is over")
    detail = Text("该申诉已处理或正在审批。", "It was decided, or waits for approval.")


class EventNotTheirs(Invalid):
    """The event is not this person's, or was withdrawn already."""

    code = "event_unfit"
    title = Text("记录不可更正", "Not an event to withdraw")
    detail = Text(
        "该记录不存在、不属于申诉人，或已被撤回。",
        "The event is not there, is not the person's, or was withdrawn already.",
    )
