"""What this room refuses, in its own words."""

from citizen_cloud.errors import Conflict, Forbidden, Invalid
from citizen_cloud.text import Text


class CodeTaken(Conflict):
    """The register has an organisation with this code already."""

    code = "code_taken"
    title = Text("编码已被使用", "Code already in use")
    detail = Text(
        "该登记册中已有此编码的机构。", "An organisation of this register has this code already."
    )


class DuplicateCode(Invalid):
    """One batch names the same organisation twice."""

    code = "duplicate_code"
    title = Text("机构重复", "Named twice")
    detail = Text("同一批数据中机构编码重复。", "The batch names the same organisation twice.")


class AlreadyMember(Conflict):
    """The account holds this role here already."""

    code = "already_member"
    title = Text("已具有此角色", "Already a member")
    detail = Text("该账号已具有此角色。", "The account holds this role already.")


class OrganisationClosed(Conflict):
    """Nobody joins a place that has closed."""

    code = "organisation_closed"
    title = Text("机构已关闭", "Organisation closed")
    detail = Text("该机构已关闭。", "The organisation has closed.")


class LastAdmin(Conflict):
    """Without an administrator nobody could ever appoint one again."""

    code = "last_admin"
    title = Text("不能移除最后一位管理员", "The last administrator stays")
    detail = Text(
        "平台至少须保留一位可用的管理员。", "The platform keeps at least one administrator."
    )


class RoleAboveOwn(Forbidden):
    """A manager appoints and dismisses staff; managers are the platform's to appoint."""

    code = "role_above_own"
    title = Text("无权处理此角色", "Role not yours to give")
    detail = Text(
        "机构负责人只能添加或移除普通工作人员。",
        "A manager may add and remove staff, not other managers.",
    )


class WorksElsewhere(Forbidden):
    """The account serves another organisation too, which is not the caller's."""

    code = "works_elsewhere"
    title = Text("该账号也在其他机构任职", "Works elsewhere too")
    detail = Text(
        "该账号也在其他机构任职，请由平台管理员处理。",
        "The account works at another organisation too; ask an administrator.",
    )


class RolesExclude(Conflict):
    """Who looks after the platform serves no citizens, and who audits does nothing else."""

    code = "roles_exclude"
    title = Text("角色互斥", "Roles exclude each other")
    detail = Text(
        "管理员、审计员与工作人员须为不同账号。",
        "Administrator, auditor and staff are accounts of their own.",
    )


class InvitationInvalid(Invalid):
    """The code is wrong, used, taken back or expired: one answer."""

    code = "invitation_invalid"
    title = Text("邀请码无效", "Invitation not accepted")
    detail = Text(
        "邀请码错误、已使用、已撤销或已过期，请联系邀请人。",
        "The code is wrong, used, taken back or expired; ask who invited you.",
    )


class NotACounter(Forbidden):
    """The caller works at no service counter, or not at this one."""

    code = "not_a_counter"
    title = Text("不是服务窗口", "Not a service counter")
    detail = Text(
        "只有政务服务机构的窗口可以办理此业务。",
        "Only counters of public authorities that you work at may do this.",
    )
