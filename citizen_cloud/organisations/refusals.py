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
