"""Who may have a code on paper, and what stands on it. Pure."""

from datetime import date, timedelta
from typing import Literal

Reason = Literal["minor", "elder", "disabled"]

LIFE = timedelta(days=180)
OF_AGE = 18
ELDER = 60
# Family names of two characters; whoever bears one would be called by half a name without it.
COMPOUND = frozenset(
    {
        "欧阳", "上官", "司马", "诸葛", "皇甫", "尉迟", "公孙", "慕容", "长孙", "宇文", "司徒",
        "轩辕", "令狐", "夏侯", "东方", "独孤", "南宫", "端木", "百里", "呼延", "公羊", "澹台",
        "申屠", "太史", "钟离", "闻人", "赫连", "万俟", "单于", "濮阳", "淳于", "仲孙", "鲜于",
        "闾丘", "司空", "亓官", "第五", "西门", "东郭", "左丘", "拓跋", "完颜", "耶律", "纳兰",
    }
)  # fmt: skip
LEAST_COMPOUND = 3


def reason_for(birth_on: date | None, today: date, *, is_disabled: bool) -> Reason | None:
    """Return why somebody may have a paper code, None where nothing says so.

    A document that tells no birth date gives no age; a disability that was attested counts at
    any age.
    """
    if birth_on is not None:
        years = age(birth_on, today)
        if years < OF_AGE:
            return "minor"
        if years >= ELDER:
            return "elder"
    return "disabled" if is_disabled else None


def age(birth_on: date, today: date) -> int:
    """Return somebody's age on a day; born on 29 February, older on 1 March of a common year."""
    had_birthday = (today.month, today.day) >= (birth_on.month, birth_on.day)
    return today.year - birth_on.year - (0 if had_birthday else 1)


def family_name(name: str) -> str:
    """Return what a paper code says of a name: ``王小明`` → ``王*``, ``欧阳锋`` → ``欧阳*``.

    Two characters are a family name and one more (``司马`` alone is somebody called 马), and a
    name that is not Chinese gives its first character.
    """
    is_compound = name[:2] in COMPOUND and len(name) >= LEAST_COMPOUND
    return (name[:2] if is_compound else name[:1]) + "*"
