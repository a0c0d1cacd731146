"""What each orchestrator takes, as its makers write it down; none of it needs a network."""

import json
from collections.abc import Callable, Mapping
from importlib import resources
from typing import Any

import botocore.session
import jsonschema
import kubernetes_validate
from botocore.validate import ParamValidator

KUBERNETES_VERSIONS = [
    version
    for version in dict.fromkeys(kubernetes_validate.utils.all_versions())
    if tuple(map(int, version.split("."))) >= (1, 33, 0)
]
"""From the one in which everything our Job uses is stable."""

Check = Callable[[Any], list[str]]
"""Returns what is wrong with a document."""


def check_kubernetes(document: Any, version: str = KUBERNETES_VERSIONS[-1]) -> list[str]:
    """Check one resource against the API's own schema of this version."""
    if not all(isinstance(document.get(name), str) for name in ("apiVersion", "kind")):
        return ["without apiVersion and kind it is no resource"]
    try:
        kubernetes_validate.validate(document, version, strict=True)
    except (kubernetes_validate.ValidationError, kubernetes_validate.SchemaNotFoundError) as error:
        return [error.message]
    return []


def check_compose(document: Any) -> list[str]:
    """Check a file against the Compose Specification."""
    schema = _bundled("check_jsonschema", "builtin_schemas/vendor/compose-spec.json")
    return _broken_rules(schema, document)


def check_cloud_run(document: Any) -> list[str]:
    """Check a job against Google's description of the Cloud Run Admin API, version 1."""
    api = _bundled("googleapiclient", "discovery_cache/documents/run.v1.json")
    return _broken_rules(_from_discovery(api["schemas"], "Job"), document)


def check_batch(operation: str) -> Check:
    """Return a check against the input of an operation, as the AWS SDK describes it."""
    service = botocore.session.get_session().get_service_model("batch")
    shape = service.operation_model(operation).input_shape
    assert shape

    def check(document: Any) -> list[str]:
        report = ParamValidator().validate(document, shape)
        return [report.generate_report()] if report.has_errors() else []

    return check


def _broken_rules(schema: Mapping[str, Any], document: Any) -> list[str]:
    validator = jsonschema.validators.validator_for(schema)(schema)
    return [error.message for error in validator.iter_errors(document)]


def _bundled(package: str, path: str) -> Any:
    return json.loads(resources.files(package).joinpath(path).read_text(encoding="utf-8"))


def _from_discovery(schemas: Mapping[str, Any], root: str) -> dict[str, Any]:
    """Return a discovery document's *schemas* as one JSON Schema that takes no unknown field."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$ref": f"#/$defs/{root}",
        "$defs": {name: _closed(schema) for name, schema in schemas.items()},
    }


def _closed(schema: Mapping[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        return {"$ref": f"#/$defs/{schema['$ref']}"}
    kept: dict[str, Any] = {name: schema[name] for name in ("type", "enum") if name in schema}
    if kept.get("type") == "any":
        return {}
    if "items" in schema:
        kept["items"] = _closed(schema["items"])
    if kept.get("type") == "object":
        others = schema.get("additionalProperties")
        kept["properties"] = {n: _closed(one) for n, one in schema.get("properties", {}).items()}
        kept["additionalProperties"] = _closed(others) if others else False
    return kept
