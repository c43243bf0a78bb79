"""Gives schemathesis something to work on: keys, rings, adapters and tokens of the service that MKP_READY_FILE names.

Generated ids name nothing, so three calls in four get the id of something that is there, the instance and a token.
"""

import json
import os
import random
import urllib.parse
import urllib.request

import schemathesis

INFO = json.load(open(os.environ["MKP_READY_FILE"], encoding="utf-8"))
KEY_TYPE = "application/vnd.ibm.kms.key+json"
#: Calls that get what is there, in a hundred.
PLAIN = 75
CHOICE = random.Random(int(os.environ.get("MKP_OPENAPI_SEED", "1")))
CERTIFICATE = open(
    os.path.join(os.path.dirname(__file__), "../it/fixtures/kmip/rsa.pem"), encoding="utf-8"
).read()


def call(method, path, body=None, token=None, form=None):
    data = None
    headers = {"Bluemix-Instance": INFO["instanceId"]}
    if form is not None:
        data = urllib.parse.urlencode(form).encode()
    elif body is not None:
        data = json.dumps(body).encode()
        headers["Content-Type"] = "application/json"
    if token:
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(INFO["url"] + path, data=data, method=method, headers=headers)
    with urllib.request.urlopen(request) as reply:
        text = reply.read()
        return json.loads(text) if text else None


def token_of_owner():
    grant = {"grant_type": "urn:ibm:params:oauth:grant-type:apikey", "apikey": INFO["apiKey"]}
    return call("POST", "/identity/token", form=grant)["access_token"]


def token_of_service(owner):
    grant = {
        "grant_type": "urn:ibm:params:oauth:grant-type:iam-authz",
        "access_token": owner,
        "desired_iam_id": f"crn-{INFO['cosInstanceCrn']}",
    }
    return call("POST", "/identity/token", form=grant)["access_token"]


OWNER = token_of_owner()
SERVICE = token_of_service(OWNER)


def envelope(kind, resource):
    return {"metadata": {"collectionType": kind, "collectionTotal": 1}, "resources": [resource]}


def create_key(name, **fields):
    body = envelope(KEY_TYPE, {"type": KEY_TYPE, "name": name, "extractable": False, **fields})
    return call("POST", "/api/v2/keys", body, OWNER)["resources"][0]["id"]


def setting():
    """Something of each kind, by the name of the path parameter that takes it."""
    keys = [create_key(f"root {number}") for number in range(12)]
    keys += [create_key(f"standard {number}", extractable=True) for number in range(3)]
    keys.append(create_key("imported", payload="MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="))
    create_key("with an alias", aliases=["an-alias"])
    call("POST", "/api/v2/key_rings/a-ring", token=OWNER)
    call("POST", "/api/v2/import_token", {"maxAllowedRetrievals": 500, "expiration": 86400}, OWNER)
    adapter = {"name": "an-adapter", "profile": "native_1.0", "profile_data": {"crk_id": keys[0]}}
    kind = "application/vnd.ibm.kms.kmip_adapter+json"
    call("POST", "/api/v2/kmip_adapters", envelope(kind, adapter), OWNER)
    kind = "application/vnd.ibm.kms.kmip_client_certificate+json"
    certificate = envelope(kind, {"name": "a-certificate", "certificate": CERTIFICATE})
    call("POST", "/api/v2/kmip_adapters/an-adapter/certificates", certificate, OWNER)
    plant = {"instanceId": INFO["instanceId"], "adapter": "an-adapter"}
    objects = [call("POST", "/mock/kmip-objects", {**plant, "state": state})["id"] for state in (1, 2, 3, 4, 5)]
    policies = call("GET", f"/v1/policies?account_id={INFO['accountId']}", token=OWNER)["policies"]
    identity = call("POST", "/v1/serviceids", {"account_id": INFO["accountId"], "name": "a program"}, OWNER)
    api_key = call("POST", "/v1/apikeys", {"name": "its key", "iam_id": identity["iam_id"]}, OWNER)
    wrapped = [call("POST", f"/api/v2/keys/{key}/actions/wrap", {}, OWNER)["ciphertext"] for key in keys[:3]]
    bucket = INFO["cosInstanceCrn"].removesuffix("::") + ":bucket:"
    return {
        "id": keys + ["an-alias"],
        "alias": ["an-alias", "another"],
        "key-ring-id": ["a-ring", "default", "one", "two", "three"],
        "adapter_id": ["an-adapter"],
        "certificate_id": ["a-certificate"],
        "object_id": objects,
        "urlEncodedResourceCRN": [urllib.parse.quote(bucket + name, safe="") for name in ("a", "b", "c")],
        "policy_id": [policy["id"] for policy in policies],
        "service_id": [identity["id"]],
        "api_key_id": [api_key["id"]],
        # Fields of bodies.
        "ciphertext": wrapped,
        "crk_id": keys[:3],
        "iam_id": [identity["iam_id"]],
        "account_id": [INFO["accountId"]],
        "keyRingID": ["a-ring", "default"],
        "role_id": [f"crn:v1:bluemix:public:iam::::serviceRole:{role}" for role in ("Reader", "Writer", "Manager")],
        "certificate": [CERTIFICATE],
        "allowed_ip": [["127.0.0.0/8", "::1/128"]],
    }


def another_instance(name):
    body = {
        "name": name,
        "target": "us-south",
        "resource_group": "default",
        "resource_plan_id": "eedd3585-90c6-4c8f-be3d-062069e99fc3",
    }
    return call("POST", "/v2/resource_instances", body, OWNER)["guid"]


SETTING = setting()
#: Some policies shut out everybody, so they are set elsewhere.
FOR_POLICIES = another_instance("for policies")
#: Names that mean something else in a body.
PATH_ALONE = ("id", "alias")
INSTANCES = [another_instance(f"instance {number}") for number in range(5)]


def plain():
    return CHOICE.randrange(100) < PLAIN


def fill(value):
    """Puts what is there into the fields of a body that want it."""
    if isinstance(value, list):
        return [fill(one) for one in value]
    if not isinstance(value, dict):
        return value
    # An attribute of a policy is a name and a value.
    if value.get("name", value.get("key")) == "accountId" and "value" in value:
        return {**value, "value": INFO["accountId"], "operator": "stringEquals"}
    known = {name: SETTING.get(name) for name in value if name not in PATH_ALONE}
    return {name: CHOICE.choice(known[name]) if known.get(name) and plain() else fill(one) for name, one in value.items()}


@schemathesis.hook
def before_call(_context, case, _kwargs):
    path = case.operation.path
    for name in list(case.path_parameters or {}):
        known = INSTANCES if path.startswith("/v2/resource_instances") else SETTING.get(name, [])
        if known and plain():
            case.path_parameters[name] = CHOICE.choice(known)
    if path.startswith("/identity") or path.startswith("/oidc"):
        return
    if plain():
        writes = "{urlEncodedResourceCRN}" in path or path.endswith("/event_ack")
        case.headers["Authorization"] = f"Bearer {SERVICE if writes else OWNER}"
    if path.startswith("/api/v2") and (plain() or path == "/api/v2/instance/policies"):
        policies = path == "/api/v2/instance/policies"
        case.headers["Bluemix-Instance"] = FOR_POLICIES if policies else INFO["instanceId"]
        if path.startswith("/api/v2/instance/"):
            # The way in that a policy for networks leaves open.
            case.headers["Host"] = "private.localhost"
        # A ring made up is one that is not there.
        if plain():
            case.headers.pop("X-Kms-Key-Ring", None)
    if isinstance(case.body, dict):
        case.body = fill(case.body)
    if case.query and "account_id" in case.query and plain():
        case.query["account_id"] = INFO["accountId"]
