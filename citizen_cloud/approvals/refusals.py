"""What this room refuses, in its own words."""

from citizen_cloud.errors import Conflict, Forbidden, Invalid
from citizen_cloud.text import Text


class KindUnknown(Invalid):
    """No owner of this process offers such a kind."""

    code = "approval_kind_unknown"
    title = Text("没有此类审批", "No such kind of decision")
    detail = Text("没有此类审批事项。", "Nothing of this kind can be proposed here.")


class ReasonUnknown(Invalid):
    """The reasons of a kind are a closed list."""

    code = "reason_unknown"
    title = Text("理由不在列表中", "Reason not on the list")
    detail = Text(
        "理由须为该类审批公布的理由之一。", "The reason must be one of those this kind lists."
    )


class ProposerUnbound(Forbidden):
    """Who proposes is somebody: an account nobody confirmed may be an approver's second one."""

    code = "proposer_not_bound"
    title = Text("账号尚未绑定本人", "The account stands for nobody")
    detail = Text(
        "提出审批前，须先将工作人员账号与本人的实名市民账号绑定。",
        "Bind the staff account to your own citizen account before you propose anything.",
    )


class EvidenceMissing(Invalid):
    """Nothing is proposed without saying where the evidence lies; the attempt is kept."""

    code = "evidence_required"
    title = Text("缺少证据编号", "Evidence reference required")
    detail = Text(
        "须注明证据所在的案卷编号。此次提交已被记录。",
        "Say where the evidence lies. This attempt was recorded.",
    )


class ProposalOver(Conflict):
    """The proposal was applied, rejected, withdrawn, failed or expired."""

    code = "proposal_over"
    title = Text("该审批已结束", "The proposal is over")
    detail = Text("该审批已结束或过期。", "The proposal was decided, withdrawn, or has expired.")


class NotAnApprover(Forbidden):
    """Approvers are appointed; a role an administrator can hand out is not enough."""

    code = "not_an_approver"
    title = Text("不是审批人", "Not an approver")
    detail = Text(
        "只有经任命且仍在岗的审批人可以作出决定。",
        "Only appointed approvers who still stand may decide.",
    )


class OwnProposal(Forbidden):
    """Nobody decides what he proposed, or what is about himself, with whichever account."""

    code = "own_proposal"
    title = Text("不能审批本人提出或涉及本人的事项", "Your own proposal")
    detail = Text(
        "本人提出或涉及本人的事项须由他人审批。",
        "Others decide what you proposed or what is about you.",
    )


class NotIndependent(Forbidden):
    """Within a week one let the other in, or the same person both."""

    code = "not_independent"
    title = Text("审批人之间不独立", "Not independent")
    detail = Text(
        "您与提出人或另一位审批人近期存在邀请或重置关系，须由他人审批。",
        "You and the proposer or another approver let each other in lately; others must decide.",
    )


class UnitTaken(Conflict):
    """The approvers of one proposal are of different units."""

    code = "unit_taken"
    title = Text("本单位已审批", "Your unit agreed already")
    detail = Text(
        "本单位已有人同意，须由其他单位审批。",
        "Somebody of your unit agreed already; another unit must.",
    )


class AlreadyDecided(Conflict):
    """One word each, whatever one's accounts."""

    code = "already_decided"
    title = Text("您已作出决定", "You decided already")
    detail = Text("您已对该事项作出决定。", "You have decided on this proposal already.")


class StandingChanged(Conflict):
    """An approver of it was dismissed while this was being decided."""

    code = "standing_changed"
    title = Text("审批人刚刚变动", "Approvers changed just now")
    detail = Text(
        "审批人在此刻被解除任命，本次决定未生效，请重新查看后再试。",
        "An approver was dismissed at this moment. Nothing was done; look again and retry.",
    )


class NotEligible(Invalid):
    """An approver is active staff of an open public authority."""

    code = "approver_not_eligible"
    title = Text("不能担任审批人", "Cannot be an approver")
    detail = Text(
        "审批人须为在岗的政务服务机构工作人员。",
        "An approver works, as active staff, at an open public authority.",
    )


class NobodyBound(Invalid):
    """An approver is a person: the account must be confirmed by its citizen first."""

    code = "approver_not_bound"
    title = Text("账号尚未绑定本人", "The account stands for nobody")
    detail = Text(
        "审批人账号须先由本人的实名市民账号确认绑定。",
        "The account must be bound to a citizen of a proven name before it is appointed.",
    )
