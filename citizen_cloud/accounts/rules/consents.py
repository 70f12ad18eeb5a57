"""The purposes a citizen may agree to, each with its present version and its words."""

import hashlib
import json
from dataclasses import dataclass

from citizen_cloud.text import Text

REAL_NAME = "real_name"
HEALTH_CODE = "health_code"
OPERATOR = Text("市民云运营机构", "The operator of Citizen Cloud")


@dataclass(frozen=True, kw_only=True)
class Purpose:
    """What is agreed to. A changed text is a new version, and asks everybody again."""

    name: str
    version: int
    title: Text
    text: Text
    categories: tuple[Text, ...] = ()
    controller: Text = OPERATOR

    @property
    def digest(self) -> bytes:
        """Return the fingerprint of the words shown: title and text in both languages."""
        words = [self.name, self.version, *self.title, *self.text]
        return hashlib.sha256(json.dumps(words, ensure_ascii=False).encode()).digest()


PURPOSES = {
    purpose.name: purpose
    for purpose in (
        Purpose(
            name=REAL_NAME,
            version=1,
            title=Text("实名认证", "Real-name verification"),
            text=Text(
                "为核实您的身份并防止他人冒用，我们将收集您的证件类型、证件号码和姓名，加密保存，"
                "并提交给权威核验机构比对。办理预约时，服务机构仅能看到您的部分姓名。您可随时撤回同意；"
                "撤回后不影响此前已办理的业务。",
                "To verify who you are and to stop others from acting as you, we take the type and "
                "number of your document and your name, keep them encrypted, and have them "
                "compared by the competent authority. Places you book at see part of your name "
                "only. You may withdraw at any time; what was done before stays valid.",
            ),
            categories=(
                Text("证件类型和号码", "Type and number of the document"),
                Text("姓名", "Name"),
            ),
        ),
        Purpose(
            name=HEALTH_CODE,
            version=1,
            title=Text("健康码", "Health code"),
            text=Text(
                "为按公布的规则计算并出示您的健康码，我们将处理您申报的体温、症状、接触史和行程，"
                "以及检测机构、疾控机构依法报送的结果。核验人员只能看到颜色、时间和部分姓名，看不到行程。"
                "扫场所码留下的到访记录密封保存，21天后删除，仅凭案件编号并经两个单位批准才能查阅。"
                "您可随时撤回同意；撤回后本服务不再读取或记录您的健康信息，其他服务不受影响。",
                "To compute your health code by published rules and to show it, we process the "
                "temperature, symptoms, contacts and trips you declare, and results that "
                "laboratories and disease control report by law. Whoever verifies the code sees "
                "its colour, its time and part of your name, never your trips. The places whose "
                "code you scan are kept sealed, deleted after 21 days, and opened only for a case "
                "and with the agreement of two authorities. You may withdraw at any time; this "
                "service then reads and writes nothing more of your health, and other services go "
                "on as before.",
            ),
            categories=(
                Text("体温、症状和接触史", "Temperature, symptoms and contacts"),
                Text("行程", "Trips"),
                Text("检测结果", "Test results"),
                Text("到访场所", "Places visited"),
            ),
        ),
    )
}
