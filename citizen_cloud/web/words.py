"""What a caller is told about a value that breaks a rule, by code, in both languages."""

from citizen_cloud.text import Text

WORDS: dict[str, Text] = {
    "required": Text("必填", "This is required."),
    "null": Text("不能为空", "This may not be null."),
    "invalid": Text("内容无效", "This is not valid."),
    "unknown_field": Text("不支持的字段", "This field is not known."),
    "object_required": Text("应为对象", "An object is expected here."),
    "list_required": Text("应为数组", "A list is expected here."),
    "string_required": Text("应为文字", "Text is expected here."),
    "integer_required": Text("应为整数", "A whole number is expected here."),
    "number_required": Text("应为数字", "A number is expected here."),
    "boolean_required": Text("应为 true 或 false", "true or false is expected here."),
    "out_of_range": Text("超出允许范围", "This is outside the allowed range."),
    "length": Text("长度不符合要求", "The length is not allowed."),
    "not_one_of": Text("不在可选范围内", "This is not one of the choices."),
    "pattern": Text("格式不正确", "The form is not right."),
    "control_character": Text(
        "含有不允许的控制字符", "Control or invisible characters are not allowed."
    ),
    "emoji": Text("不能包含表情符号", "Emoji are not allowed here."),
    "uuid_required": Text("编号格式不正确", "A UUID is expected here."),
    "date_required": Text("日期格式应为 YYYY-MM-DD", "A date YYYY-MM-DD is expected here."),
    "time_required": Text("时间格式应为 HH:MM", "A time HH:MM is expected here."),
    "instant_required": Text("时间格式不正确", "An RFC 3339 instant is expected here."),
    "timezone_required": Text("时间须带时区", "The instant needs a time-zone offset."),
    "phone_invalid": Text("手机号码不正确", "This is not a mobile number that can be texted."),
    "id_number_invalid": Text("证件号码不正确", "The document number is not valid."),
    "name_invalid": Text("姓名含有不支持的字符", "The name holds characters no name has."),
    "position_required": Text("位置格式应为 纬度,经度", "A position is latitude,longitude."),
    "wrong_order": Text("结束不能早于开始", "The end is before the beginning."),
    "file_required": Text("请选择文件", "A file is expected here."),
    "unknown_setting": Text("没有此设置", "There is no such setting."),
    "wrong_kind": Text("类型不正确", "The kind of value is not right."),
    "out_of_bounds": Text("超出允许范围", "This is outside the allowed range."),
}


def explain(code: str) -> Text:
    """Return the words for a code; an unknown one reads as plainly invalid."""
    return WORDS.get(code, WORDS["invalid"])
