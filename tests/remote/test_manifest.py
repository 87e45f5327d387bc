"""What the Jobs may, and that `deploy/` and `--dry-run` say the same."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kubehop.cli.main import run
from kubehop.remote.manifest import RULES, Settings, job, job_name, setup

ROOT = Path(__file__).parents[2]
SETTINGS = Settings(run="0a1b2c3d")
NAMES = st.from_regex(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?", fullmatch=True)


def deployed() -> list[Any]:
    return list(yaml.safe_load_all((ROOT / "deploy/collect.yaml").read_text()))


def test_dry_run_prints_what_deploy_has_and_the_jobs(capsys: pytest.CaptureFixture[str]) -> None:
    from kubehop.cli.pod.collect import command

    assert command.main(["--nodes", "a,b", "--dry-run"], standalone_mode=False) == 0
    printed = list(yaml.safe_load_all(capsys.readouterr().out))
    assert [each for each in printed if each["kind"] != "Job"] == deployed() == list(setup())
    jobs = [each for each in printed if each["kind"] == "Job"]
    run = jobs[0]["metadata"]["labels"]["kubehop/run"]
    assert jobs == [job(node, Settings(run=run)) for node in ("a", "b")]


def test_the_manifest_holds_together() -> None:
    """The Jobs' namespace and account are those that are made, and the roles are all it needs."""
    by_kind = {each["kind"]: each for each in deployed()}
    made = job("node-1", SETTINGS)
    namespace, account = by_kind["Namespace"], by_kind["ServiceAccount"]
    assert made["metadata"]["namespace"] == namespace["metadata"]["name"]
    pod = made["spec"]["template"]["spec"]
    assert pod["serviceAccountName"] == account["metadata"]["name"]
    enforced = namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]
    assert enforced == "privileged"
    granted = {
        (group, resource, verb)
        for kind in ("Role", "ClusterRole")
        for rule in by_kind[kind]["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    assert granted == {(group, res, verb) for group, res, verbs in RULES for verb in verbs}
    for kind in ("RoleBinding", "ClusterRoleBinding"):
        assert by_kind[kind]["subjects"] != [account["metadata"]["name"]]
        assert all(each["kind"] != "ServiceAccount" for each in by_kind[kind]["subjects"])


def test_least_privilege() -> None:
    pod = job("node-1", SETTINGS)["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["automountServiceAccountToken"] is False
    context = container["securityContext"]
    assert "privileged" not in context
    assert context["readOnlyRootFilesystem"] is True
    assert context["capabilities"] == {"drop": ["ALL"], "add": ["SYS_ADMIN", "SYS_PTRACE"]}
    assert all(mount["readOnly"] for mount in container["volumeMounts"])
    paths = [each["hostPath"]["path"] for each in pod["volumes"]]
    assert paths == ["/run/netns", "/var/log/pods"]
    assert [each["name"] for each in container["volumeMounts"]] == [
        each["name"] for each in pod["volumes"]
    ]


def test_a_job_ends_and_goes_by_itself() -> None:
    spec = job("node-1", Settings(run="r", seconds=60))["spec"]
    assert (spec["activeDeadlineSeconds"], spec["backoffLimit"]) == (60, 0)
    assert spec["ttlSecondsAfterFinished"] > 0
    assert spec["template"]["spec"]["restartPolicy"] == "Never"


def test_the_runtimes_socket_only_if_asked_for() -> None:
    spec = job("n", Settings(run="r", cri_socket="/run/crio/crio.sock"))["spec"]["template"]["spec"]
    assert spec["volumes"][-1]["hostPath"] == {"path": "/run/crio/crio.sock", "type": "Socket"}
    assert spec["containers"][0]["volumeMounts"][-1]["mountPath"] == "/run/crio/crio.sock"


@given(NAMES, NAMES)
def test_job_names_are_labels_and_one_nodes_alone(one: str, other: str) -> None:
    name = job_name(one, SETTINGS.run)
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", name)
    assert (name == job_name(other, SETTINGS.run)) == (one == other)


def test_long_names_that_begin_alike_differ() -> None:
    names = {job_name("x" * 200 + end, SETTINGS.run) for end in ("a", "b", ".a")}
    assert len(names) == 3
    assert job_name("a.b", "r") != job_name("a-b", "r")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--nodes", "Upper", "--dry-run"],
        ["--nodes", ",", "--dry-run"],
        ["--nodes", "a", "-l", "b=c", "--dry-run"],
        ["--nodes", "a", "--dry-run", "--cri-socket", "run/x.sock"],
        ["--nodes", "a", "--dry-run", "-n", "a/b"],
        ["--here", "--dry-run"],
        ["--here", "--nodes", "a"],
        ["--node-name", "a"],
    ],
)
def test_questions_that_do_not_fit(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["pod", "collect", *arguments]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_image_installs_what_is_locked() -> None:
    """Every file that the Dockerfile copies is there, and nothing is installed without hashes."""
    text = (ROOT / "Dockerfile").read_text()
    copied = [
        name
        for line in re.findall(r"^COPY (?!--from)(.*) \S+$", text, re.M)
        for name in line.split()
    ]
    assert copied
    assert all((ROOT / name).exists() for name in copied)
    installs = re.findall(r"pip install ([^\\&\n]*)", text)
    assert all("--require-hashes" in each or "--no-index" in each for each in installs)
    assert "--editable" not in text
