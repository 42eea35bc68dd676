"""What the operator's account may do on a real API server: the table of docs/design/runtime.md, and nothing else."""

import itertools
import re
from typing import NamedTuple

import pytest
import yaml
from local_cluster.light import LightCluster
from manifests.people import Ask, Person
from manifests.rendering import MANIFESTS, documents, render

OWN = "whatsapp-operator"
VERBS = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")


class Right(NamedTuple):
    """One verb on one resource, cluster-wide or in the own namespace, perhaps on one name alone."""

    group: str
    resource: str
    verb: str
    own_namespace: bool
    name: str | None


def documented() -> set[Right]:
    """The rows of the table "Rights" in docs/design/runtime.md."""
    text = (MANIFESTS.parent / "docs" / "design" / "runtime.md").read_text()
    section = text.split("## Rights")[1].split("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:1] == "|"]
    found = set()
    for group, resource, verbs, scope, _ in rows[2:]:
        name = re.search(r"resourceNames: \[NAME(\S*)\]", scope)
        for verb in verbs.split(","):
            group_name = "" if group == "(core)" else group
            named = None if name is None else f"{OWN}{name[1]}"
            found.add(Right(group_name, resource, verb.strip(), scope.startswith("own namespace"), named))
    return found


def granted() -> set[Right]:
    """The rules that the base binds to the operator's account."""
    found = set()
    for item in documents(render("base")):
        if item["kind"] not in ("ClusterRole", "Role") or item["metadata"]["name"] != OWN:
            continue
        for rule in item["rules"]:
            rows = itertools.product(
                rule["apiGroups"], rule["resources"], rule["verbs"], rule.get("resourceNames", [None])
            )
            found |= {
                Right(group, resource, verb, item["kind"] == "Role", name) for group, resource, verb, name in rows
            }
    return found


def test_the_roles_are_the_documented_table() -> None:
    """Not a verb more, and not a verb less."""
    assert len(documented()) > 25
    assert documented() == granted()


def test_only_its_own_account_is_bound() -> None:
    """The operator's roles go to one account, and nothing to everybody who can log in."""
    bindings = {
        (item["roleRef"]["name"], subject["kind"], subject["name"])
        for item in documents(render("base"))
        if item["kind"] in ("ClusterRoleBinding", "RoleBinding")
        for subject in item["subjects"]
    }

    assert {(OWN, "ServiceAccount", OWN)} == bindings


def test_the_api_server_agrees(operator: Person) -> None:
    """Each documented right is granted by a real authoriser."""
    rights = sorted(documented(), key=str)

    allowed = operator.may(
        *(
            Ask(each.verb, each.resource, each.group, OWN if each.own_namespace else "", each.name or "")
            for each in rights
        )
    )

    refused = [right for right, good in zip(rights, allowed, strict=True) if not good]
    assert [] == refused


@pytest.fixture(scope="module")
def foreign(installed: LightCluster) -> str:
    """A namespace with a Secret that is none of the operator's business."""
    namespace = "rights-foreign"
    installed.kubectl("create", "namespace", namespace)
    installed.kubectl("create", "secret", "generic", "payroll", f"--namespace={namespace}", "--from-literal=pin=4711")
    return namespace


@pytest.mark.parametrize(
    "attempt",
    [
        ["get", "secret", "payroll", "--output=yaml"],
        ["get", "secrets", "--output=yaml"],
        ["get", "secrets", "--output=yaml", "--selector=app=x"],
        ["get", "--raw", "/api/v1/namespaces/rights-foreign/secrets?watch=true&timeoutSeconds=1"],
        ["patch", "secret", "payroll", "--type=merge", "--patch={}", "--output=yaml"],
        ["patch", "secret", "payroll", "--type=json", "--patch=[]", "--output=yaml"],
        ["annotate", "secret", "payroll", "mine=true", "--output=yaml"],
        ["delete", "secret", "payroll"],
        ["delete", "secrets", "--all"],
    ],
    ids=lambda attempt: " ".join(attempt[:2]) + attempt[-1][-12:],
)
def test_no_verb_gives_a_foreign_secret_away(operator: Person, foreign: str, attempt: list[str]) -> None:
    """Every way of asking is refused, and no answer holds the Secret's bytes."""
    where = [] if "--raw" in attempt else [f"--namespace={foreign}"]

    done = operator.kubectl(*attempt, *where)

    assert 0 != done.returncode
    assert "forbidden" in done.stderr.lower()
    assert "NDcxMQ==" not in done.stdout + done.stderr


@pytest.mark.parametrize("flags", [["--server-side", "--force-conflicts"], ["--overwrite=true"]])
def test_apply_neither_reads_nor_overwrites(
    operator: Person, installed: LightCluster, foreign: str, flags: list[str]
) -> None:
    """Create alone is no apply: an existing Secret stays as it is."""
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "payroll", "namespace": foreign},
        "stringData": {"pin": "0000"},
    }

    done = operator.kubectl("apply", "--filename=-", "--output=yaml", *flags, text=yaml.safe_dump(secret))

    assert 0 != done.returncode
    assert "NDcxMQ==" not in done.stdout + done.stderr
    kept = installed.kubectl("get", "secret", "payroll", f"--namespace={foreign}", "--output=jsonpath={.data.pin}")
    assert "NDcxMQ==" == kept


def test_creating_over_a_secret_shows_nothing(operator: Person, foreign: str) -> None:
    """The answer to a create of a name that is taken does not hold what is there."""
    done = operator.kubectl(
        "create", "secret", "generic", "payroll", f"--namespace={foreign}", "--from-literal=pin=0000", "--output=yaml"
    )

    assert 0 != done.returncode
    assert "may write and delete only what it makes" in done.stderr
    assert "NDcxMQ==" not in done.stdout + done.stderr


def test_its_key_secret_is_its_only_one(operator: Person) -> None:
    """In its own namespace it reads and updates the key Secret, and no other."""
    other = operator.kubectl("get", "secret", "whatsapp-operator-other", f"--namespace={OWN}")
    keys = operator.verbs(VERBS, "secrets", namespace=OWN, name="whatsapp-operator-keys")

    assert "forbidden" in other.stderr.lower()
    assert ["get", "create", "update"] == keys


@pytest.mark.parametrize(
    ("group", "resource"),
    [
        ("", "configmaps"),
        ("", "nodes"),
        ("", "persistentvolumes"),
        ("", "pods/exec"),
        ("", "pods/log"),
        ("", "pods/ephemeralcontainers"),
        ("", "serviceaccounts"),
        ("", "serviceaccounts/token"),
        ("apps", "deployments"),
        ("rbac.authorization.k8s.io", "roles"),
    ],
)
def test_what_it_does_not_need(operator: Person, group: str, resource: str) -> None:
    """Nothing at all on what is not in the table, pods' shells and other accounts' tokens among it."""
    assert [] == operator.verbs(VERBS, resource, group=group)
