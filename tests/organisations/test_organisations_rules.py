"""Words, addresses, area codes and positions, without a database."""

import math
import re
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from stdnum import numdb

from citizen_cloud.organisations.rules import (
    Point,
    area_name,
    box_around,
    county_and_town,
    is_area_code,
    metres_between,
    query_tokens,
    search_tokens,
    wgs84,
)
from citizen_cloud.organisations.rules.areas import TOWNS
from citizen_cloud.organisations.rules.positions import gcj02

# Addresses of a real register of 6,588 places: the plain ones and every kind of odd one.
ADDRESSES = [
    ("花蓮縣豐濱鄉豐濱村光豐路４１號", "花蓮縣", "豐濱鄉"),
    ("台北市松山區八德路４段６９４號１、２樓", "台北市", "松山區"),
    ("臺北市松山區八德路４段６９４號", "台北市", "松山區"),
    ("台北巿士林區華榮街１６號", "台北市", "士林區"),
    ("臺東縣臺東市新生路１號", "台東縣", "台東市"),
    ("嘉義縣阿里山鄉中正村１號", "嘉義縣", "阿里山鄉"),
    ("高雄市那瑪夏區達卡努瓦里１號", "高雄市", "那瑪夏區"),
    ("高雄市前鎮區中山二路１號", "高雄市", "前鎮區"),
    ("桃園市平鎮區中庸路１號", "桃園市", "平鎮區"),
    ("台南市新市區中正路１號", "台南市", "新市區"),
    ("台南市左鎮區中正里１號", "台南市", "左鎮區"),
    ("台南市西區民權路三段２０４號", "台南市", "中西區"),
    ("台南東區富強里中華東路二段４９號", "台南市", "東區"),
    ("台南縣西港鄉中山路３５８號", "台南市", "西港區"),
    ("桃園縣桃園市南平路４１１號", "桃園市", "桃園區"),
    ("高雄縣鳳山市鳳北路３６之１號", "高雄市", "鳳山區"),
    ("高雄市岡山鎮嘉興路２８２號", "高雄市", "岡山區"),
    ("彰化縣員林鎮莒光路３號", "彰化縣", "員林市"),
    ("苗栗縣頭份和平路８０號一樓", "苗栗縣", "頭份市"),
    ("高雄市左營重愛路５３號", "高雄市", "左營區"),
    ("淡水區新市一路３段１０３號", "新北市", "淡水區"),
    ("屏東市太平里中正路１６７－１號", "屏東縣", "屏東市"),
    ("彰化巿興北里三民路２０９號", "彰化縣", "彰化市"),
    ("花蓮市國聯四路７７號", "花蓮縣", "花蓮市"),
    ("台東市新生路４８９號", "台東縣", "台東市"),
    ("高雄市揇梓區軍校路７１０號", "高雄市", "揇梓區"),
    ("新竹市東立功里光復路二段３１０號", "新竹市", ""),
    ("台中市英才路２２９號", "台中市", ""),
    ("台中市太平東路１號", "台中市", ""),
    ("嘉義市垂楊路６２３號", "嘉義市", ""),
    ("10491 台灣省台中市西屯區大墩路1號", "台中市", "西屯區"),
    ("大连市中山区人民路街道1号", "大连市", "中山区"),
    ("辽宁省大连市庄河市新华路1号", "大连市", "庄河市"),
    ("大连市人民路中山区", "大连市", ""),
    ("北京市朝阳区建国路1号", "北京市", "朝阳区"),
    ("上海市浦东新区世纪大道1号", "上海市", "浦东新区"),
    ("湖北省荆州市沙市区江津路1号", "荆州市", "沙市区"),
    ("湖南省常德市津市市万寿路1号", "常德市", "津市市"),
    ("吉林省延边朝鲜族自治州延吉市光明街1号", "延边朝鲜族自治州", "延吉市"),
    ("内蒙古自治区锡林郭勒盟锡林浩特市1号", "锡林郭勒盟", "锡林浩特市"),
    ("海南省定安县定城镇开发区1号", "定安县", ""),
    ("东莞市南城街道鸿福路123号小区", "东莞市", ""),
]


@pytest.mark.parametrize(("address", "county", "town"), ADDRESSES)
def test_an_address_names_its_county_and_town(address, county, town):
    assert county_and_town(address) == (county, town)


@pytest.mark.parametrize("address", ["", "中山區中山路1號", "人民路1号", "Main Street 5", "１２３"])
def test_an_address_that_names_no_county_gives_none(address):
    assert county_and_town(address) is None


def test_every_town_of_taiwan_is_found_in_both_spellings():
    assert (len(TOWNS), sum(map(len, TOWNS.values()))) == (22, 368)
    for county, towns in TOWNS.items():
        for town in towns:
            assert county_and_town(f"{county}{town}中山路1號") == (county, town)
            taller = f"{county}{town}中山路1號".replace("台", "臺")
            assert county_and_town(taller) == (county, town)


def _in_force(name):
    return [part for part in name.split(",") if not re.match(r"\[\d*-\d+\]", part)]


def test_every_county_of_the_mainland_is_found():
    table, cities, seen = numdb.get("cn/loc"), {}, 0
    for province, facts, below in [(p, f, b) for _, p, _, f, b in table.prefixes]:
        for _, code, _, county, _ in below:
            names = [re.sub(r"^\[\d*-\]", "", n) for n in _in_force(county["county"])]
            if not names or province in ("71", "81", "82"):
                continue
            if code.endswith("00"):
                cities[province + code[:2]] = names[0]
                continue
            city = cities.get(province + code[:2], "")
            if not city or "直辖" in city or city in ("市辖区", "县") or names[0] == "市辖区":
                continue
            if "林区" in city:
                continue
            address = f"{facts['province']}{city}{names[0]}人民路1号"
            assert county_and_town(address) == (city, names[0])
            seen += 1
    assert seen > 2700


@given(st.text(max_size=120))
@example("巿" * 300)
def test_no_text_breaks_the_reading_of_addresses(text):
    found = county_and_town(text)
    assert found is None or found.county


def test_a_hostile_address_is_read_in_no_time():
    began = time.perf_counter()
    for text in ("省" * 200, "市" * 200, "啊" * 200, "縣市" * 100, "自治" * 100):
        county_and_town(text)
        is_area_code(text)
    assert time.perf_counter() - began < 0.5


def test_both_spellings_of_a_county_are_one():
    assert area_name(" 臺北巿 ") == "台北市"


@pytest.mark.parametrize("code", ["210202", "110101", "210202001", "210202001004", "210200"])
def test_an_area_code_in_force_is_accepted(code):
    assert is_area_code(code)


@pytest.mark.parametrize(
    "code",
    ["110103", "990000", "21020", "2102020", "２１０２０２", "210202\n", "", "000000", "abcdef"],
)
def test_an_area_code_that_is_over_or_never_was_is_refused(code):
    assert not is_area_code(code)


def test_a_row_is_found_by_any_part_of_it_that_a_person_would_type():
    row = set(search_tokens("臺北市松山區 ＡＢＣ健康服務中心 2F八德路４段６９４號"))
    for query in (
        "松",
        "松山",
        "台北市",
        "臺北",
        "健康服务"[:2],
        "abc",
        "Abc",
        "694",
        "2",
        "服務中心",
    ):
        assert set(query_tokens(query)) <= row, query
    for query in ("松北", "大安", "99", "abcd"):
        assert not set(query_tokens(query)) <= row, query


@pytest.mark.parametrize("query", ["%", "_", "\\", "%_%", "'", "--", "   ", "！？", "☂"])
def test_signs_are_no_words(query):
    assert query_tokens(query) == []


@given(st.text(min_size=1, max_size=80))
def test_a_text_answers_to_itself(text):
    whole = text[:64]
    assert set(query_tokens(whole)) <= set(search_tokens(whole))


def test_a_long_text_gives_bounded_tokens():
    assert len(query_tokens("一二三四五六七八九十" * 500)) <= 64
    assert len(search_tokens("".join(chr(0x4E00 + i) for i in range(5000)))) <= 1000


def test_the_distance_from_taipei_to_dalian_is_right():
    dalian, taipei = Point(38.9140, 121.6147), Point(25.0330, 121.5654)
    assert metres_between(dalian, taipei) == pytest.approx(1_543_500, rel=0.002)
    assert metres_between(dalian, dalian) == 0


degrees = st.floats(allow_nan=False, allow_infinity=False)


@given(
    st.floats(-89.9, 89.9), st.floats(-180, 180), st.floats(1, 50_000), st.floats(0, 2 * math.pi)
)
def test_the_box_holds_every_point_within_the_distance(latitude, longitude, metres, bearing):
    centre = Point(latitude, longitude)
    reach = metres * 0.999 / 6_371_008.8
    there = math.asin(
        math.sin(math.radians(latitude)) * math.cos(reach)
        + math.cos(math.radians(latitude)) * math.sin(reach) * math.cos(bearing)
    )
    turn = math.atan2(
        math.sin(bearing) * math.sin(reach) * math.cos(math.radians(latitude)),
        math.cos(reach) - math.sin(math.radians(latitude)) * math.sin(there),
    )
    point = Point(math.degrees(there), (longitude + math.degrees(turn) + 180) % 360 - 180)
    box = box_around(centre, metres)
    assert box.south - 1e-9 <= point.latitude <= box.north + 1e-9
    east, west = point.longitude <= box.east + 1e-7, point.longitude >= box.west - 1e-7
    assert (east and west) if box.west <= box.east else (east or west)


# Published pairs of the conversion libraries: (GCJ-02, WGS-84) and (BD-09, GCJ-02).
def test_gcj02_comes_in_as_wgs84():
    drawn = gcj02(Point(39.911954, 116.377817))
    assert drawn.latitude == pytest.approx(39.913358, abs=2e-5)
    assert drawn.longitude == pytest.approx(116.384045, abs=2e-5)


@given(st.floats(20, 50), st.floats(80, 130))
def test_gcj02_and_back_is_within_a_decimetre(latitude, longitude):
    true = Point(latitude, longitude)
    assert metres_between(wgs84(gcj02(true), "gcj02"), true) < 0.1


def test_bd09_comes_in_as_wgs84():
    # Tiananmen as Baidu draws it.
    found = wgs84(Point(39.915119, 116.403963), "bd09")
    assert found.latitude == pytest.approx(39.9074, abs=5e-4)
    assert found.longitude == pytest.approx(116.3913, abs=5e-4)


def test_wgs84_stays_as_it_is_and_nothing_abroad_is_shifted():
    assert wgs84(Point(38.9, 121.6), "wgs84") == (38.9, 121.6)
    assert wgs84(Point(48.85, 2.35), "gcj02") == (48.85, 2.35)
