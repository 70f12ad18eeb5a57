"""Which county and town an address names, in Taiwan and on the mainland; area codes."""

import re
from typing import NamedTuple

from stdnum import numdb

from citizen_cloud.organisations.rules.areas import JOINED, MERGED, TOWNS, VARIANTS

# An area code and, behind it, a street's three digits (GB/T 10114) and a village's.
_CODE = re.compile("[1-9][0-9]{5}(?:[0-9]{3}(?:[0-9]{3})?)?")
_OVER = re.compile(r"\[[0-9]*-[0-9]+\]")
_LEAD = re.compile(
    r"[\s0-9０-９()（）]*(?:中華民國|中国|中國)?(?:台灣省|台湾省|福建省(?=金門|連江))?"
)
_RANK = "鄉鎮市區"
# A name without its rank is a town only where a road's own name follows: 左營重愛路, not 太平東路.
_ROAD = re.compile("[^東西南北中新大一二三四五六七八九十路街]\\w{1,4}?[路街道]")
_DISTRICT = re.compile("\\w{2,3}?區")
# A town ends before a street begins; 沙市区, 赣县区, 红旗区 and 辉县市 hold a rank in their name.
_MAINLAND = re.compile(
    "(?:.{2,7}?(?:省|自治区))?(?:"
    "(?P<county>[^县]{1,12}?(?:自治州|地区|盟|市))"
    "(?P<town>(?:(?!\\w\\w[路街镇](?!区))\\D){1,14}?(?:自治县|自治旗|[市县旗]区|[市县]市|旗县|区|區|县|旗|市))?"
    "|(?P<alone>.{1,12}?(?:自治县|林区|县)))"
)


class Area(NamedTuple):
    """A county or city, and the town or district in it; ``town`` is empty where none is named."""

    county: str
    town: str


def area_name(text: str) -> str:
    """Return the form county and town are stored and compared in: 台 for 臺, 市 for 巿."""
    return text.strip().translate(VARIANTS)


def county_and_town(address: str) -> Area | None:
    """Return the area an address names; None where it names no county.

    Taiwan: 縣市 and 鄉鎮市區 of today, also where the address still has the county a city was
    made of. Mainland: the city (地级市, 自治州, 盟) and the 区, 县 or 市 in it, as written.
    """
    plain = area_name(address)
    plain = plain[_lead(plain) :]
    return _in_taiwan(plain) or _on_the_mainland(plain)


def _lead(plain: str) -> int:
    match = _LEAD.match(plain)
    return match.end() if match else 0


def _in_taiwan(plain: str) -> Area | None:
    named = MERGED.get(plain[:3], plain[:3])
    if named in TOWNS:
        return Area(named, _town(named, plain[3:]))
    for county in (plain[:2] + "市", plain[:2] + "縣"):
        if _starting(TOWNS.get(county, ()), plain[2:]):
            return Area(county, _town(county, plain[2:]))
    homes = [Area(county, town) for county in TOWNS if (town := _starting(TOWNS[county], plain))]
    return homes[0] if len(homes) == 1 else None


def _starting(towns: tuple[str, ...], rest: str) -> str:
    return max((town for town in towns if rest.startswith(town)), key=len, default="")


def _town(county: str, rest: str) -> str:
    """Return the town the rest of an address begins with, under its name of today."""
    known = _starting(TOWNS[county], rest)
    if known:
        return known
    for town in TOWNS[county]:
        core = town[:-1]
        behind = rest[len(core) :]
        if len(core) > 1 and rest.startswith(core) and (behind[:1] in _RANK or _ROAD.match(behind)):
            return town
    for (old_county, old), town in JOINED.items():
        if county == old_county and rest.startswith(old):
            return town
    written = _DISTRICT.match(rest) if county.endswith("市") else None
    return written[0] if written else ""


def _on_the_mainland(plain: str) -> Area | None:
    match = _MAINLAND.match(plain)
    if match is None:
        return None
    return Area(match["county"] or match["alone"], match["town"] or "")


def is_area_code(code: str) -> bool:
    """Return whether a GB/T 2260 code is in force, alone or with a street's digits behind it."""
    if not _CODE.fullmatch(code):
        return False
    found = numdb.get("cn/loc").info(code[:6])
    names = ",".join(facts.get("county", "") for _, facts in found).split(",")
    # "[1983-2010]崇文区" is over, "[1983-]和平区" is not.
    return any(name and not _OVER.match(name) for name in names)
