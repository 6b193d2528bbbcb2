"""Pages of other sites, where no signature would tell."""

import pytest

ROOT = "http://127.0.0.1:4599"
FORM = {"content-type": "application/x-www-form-urlencoded"}
WHO = b"Action=GetCallerIdentity&Version=2011-06-15"


async def ask(world, host="127.0.0.1:4599", **headers):
    return await world.ask("POST", ROOT, {**FORM, "host": host, **headers}, WHO)


@pytest.mark.parametrize("headers", [{"origin": "https://evil.example"}, {"origin": "null"}])
async def test_a_page_of_another_site_is_refused(open_world, headers):
    answer = await ask(open_world, **headers)
    assert answer.status == 403
    assert b"Pages of other sites" in answer.body
    assert not open_world.calls


@pytest.mark.parametrize("action", ["Action", "%41ction"])
@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_an_image_of_another_site_names_no_operation(open_world, action, site):
    """Browsers send no Origin with it."""
    url = f"{ROOT}/?{action}=GetCallerIdentity&Version=2011-06-15"
    assert (await open_world.ask("GET", url, {"host": "127.0.0.1:4599", "sec-fetch-site": site})).status == 403
    assert not open_world.calls


async def test_an_image_of_another_site_may_be_an_object(open_world):
    asked = {"host": "127.0.0.1:4599", "sec-fetch-site": "cross-site"}
    assert b"Pages of other sites" not in (await open_world.ask("GET", f"{ROOT}/bucket/key", asked)).body


@pytest.mark.parametrize("host", ["evil.example:4599", "127.0.0.1.evil.example", "localhost.evil.example."])
async def test_a_name_that_was_bound_to_this_machine_is_refused(open_world, host):
    assert (await ask(open_world, host)).status == 403


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1:4599", "localhost:4599", "[::1]:4599", "clary:4599", "bucket.localhost"),
        *("host.docker.internal:4599", "sts.us-east-1.amazonaws.com", "10.1.2.3"),
    ],
)
async def test_names_that_programs_use_are_ours(open_world, host):
    assert (await ask(open_world, host)).status == 200


async def test_own_pages_may_ask(open_world):
    assert (await ask(open_world, origin="http://127.0.0.1:4599")).status == 200


async def test_a_signature_says_enough(world, signed):
    headers = {**FORM, "origin": "https://app.example"}
    url, headers = signed("v4", "sts", "POST", ROOT, headers, WHO)
    assert (await world.ask("POST", url, headers, WHO)).status == 200
