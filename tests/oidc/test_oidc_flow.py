"""The code flow in one process: what is asked, shown, agreed to, given and told."""


def test_a_citizen_signs_in_at_a_partner(flow, site, citizen):
    told = flow.tokens(site, citizen)
    print(told)
    answer = flow.userinfo(told["access_token"])
    print(answer.json)
    assert answer.status_code == 200
