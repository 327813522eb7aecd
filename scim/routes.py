"""SCIM 2.0 at ``/scim/v2/<company_id>``: HTTP verbs only."""

from types import ModuleType
from typing import Any

from flask import Blueprint, Response, g, request

from scim import gate
from scim.bodies import dump
from scim.errors import Forbidden, MethodNotAllowed, NotFound, NotImplementedHere
from scim.gate import respond
from scim.lists import codes as catalog
from scim.lists.parts import apply_projection
from scim.lists.search import search
from scim.lists.search_request import parse_arguments, parse_search
from scim.log.call import Call
from scim.resources import bulk, groups, users
from scim.resources.documents import Answer, base_url, is_matched, render_list, to_etag
from scim.schemas import discovery
from scim.schemas.attributes import ResourceType
from scim.schemas.projection import Projection, parse_projection
from scim.schemas.resource_types import GROUP, LEARNING_JOURNEY, TRAINING_TAG, USER

blueprint = Blueprint("scim", __name__, url_prefix="/scim/v2/<company_id>")
gate.install(blueprint)

VERBS: dict[str, ModuleType] = {"Users": users, "Groups": groups}
KINDS = {"Users": USER, "Groups": GROUP}
_EVERY = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_ENDPOINT = "/<any(Users, Groups):endpoint>"
_SEARCH = ".search"
_CODES = "/<any(TrainingTags, LearningJourneys):endpoint>"


@blueprint.url_value_preprocessor
def _drop_company(_: str | None, values: dict[str, Any] | None) -> None:
    # The gate has compared it with the token's own.
    (values or {}).pop("company_id", None)


# --- resources --------------------------------------------------------------------------------------


@blueprint.get(_ENDPOINT, strict_slashes=False)
def list_resources(endpoint: str) -> Response:
    g.call.resource_type = KINDS[endpoint].name
    return respond(search(g.call, f"/{endpoint}", parse_arguments(request.args.to_dict(flat=False))))


@blueprint.post(f"{_ENDPOINT}/.search", strict_slashes=False)
def search_resources(endpoint: str) -> Response:
    g.call.operation, g.call.resource_type = "read", KINDS[endpoint].name
    return respond(search(g.call, f"/{endpoint}", parse_search(gate.read_body())))


@blueprint.get("/", strict_slashes=False)
def list_everything() -> Response:
    return respond(search(g.call, "", parse_arguments(request.args.to_dict(flat=False))))


@blueprint.post("/.search", strict_slashes=False)
def search_everything() -> Response:
    g.call.operation = "read"
    return respond(search(g.call, "", parse_search(gate.read_body())))


@blueprint.post(_ENDPOINT, strict_slashes=False)
def create_resource(endpoint: str) -> Response:
    return _show(endpoint, VERBS[endpoint].create(_call(endpoint), gate.read_body()))


@blueprint.get(f"{_ENDPOINT}/<resource_id>", strict_slashes=False)
def get_resource(endpoint: str, resource_id: str) -> Response:
    call, projection = _call(endpoint, resource_id), _projection(KINDS[endpoint])
    return _show(endpoint, VERBS[endpoint].get(call, resource_id, projection))


@blueprint.put(f"{_ENDPOINT}/<resource_id>", strict_slashes=False)
def replace_resource(endpoint: str, resource_id: str) -> Response:
    call, if_match = _call(endpoint, resource_id), request.headers.get("If-Match")
    return _show(endpoint, VERBS[endpoint].replace(call, resource_id, gate.read_body(), if_match))


@blueprint.patch(f"{_ENDPOINT}/<resource_id>", strict_slashes=False)
def patch_resource(endpoint: str, resource_id: str) -> Response:
    call, if_match = _call(endpoint, resource_id), request.headers.get("If-Match")
    return _show(endpoint, VERBS[endpoint].patch(call, resource_id, gate.read_body(), if_match))


@blueprint.delete(f"{_ENDPOINT}/<resource_id>", strict_slashes=False)
def delete_resource(endpoint: str, resource_id: str) -> Response:
    call, if_match = _call(endpoint, resource_id), request.headers.get("If-Match")
    return _show(endpoint, VERBS[endpoint].delete(call, resource_id, if_match))


@blueprint.post("/Bulk", strict_slashes=False)
def carry_out_bulk() -> Response:
    g.call.operation = "bulk"
    return respond(bulk.carry_out(g.call, gate.read_body()))


@blueprint.route("/Me", methods=_EVERY, strict_slashes=False)
def refuse_me() -> Response:
    raise NotImplementedHere("/Me is not offered: an access token belongs to a company, not to a person.")


# --- discovery --------------------------------------------------------------------------------------


@blueprint.get("/ServiceProviderConfig", strict_slashes=False)
def get_service_provider_config() -> Response:
    _refuse_filter()
    return respond(dump(discovery.service_provider_config(_base())))


@blueprint.get("/ResourceTypes", strict_slashes=False)
def list_resource_types() -> Response:
    _refuse_filter()
    return _list(discovery.resource_types(_base(), _kinds()))


@blueprint.get("/ResourceTypes/<name>", strict_slashes=False)
def get_resource_type(name: str) -> Response:
    _refuse_filter()
    return _found(discovery.find_resource_type(name, _base(), _kinds()), name)


@blueprint.get("/Schemas", strict_slashes=False)
def list_schemas() -> Response:
    _refuse_filter()
    return _list(discovery.schemas(_base(), _kinds()))


@blueprint.get("/Schemas/<urn>", strict_slashes=False)
def get_schema(urn: str) -> Response:
    _refuse_filter()
    return _found(discovery.find_schema(urn, _base(), _kinds()), urn)


# --- the catalog, as codes an administrator can pick from ----------------------------------------------


@blueprint.get(_CODES, strict_slashes=False)
def list_codes(endpoint: str) -> Response:
    return respond(catalog.search(g.call, endpoint, parse_arguments(request.args.to_dict(flat=False))))


@blueprint.post(f"{_CODES}/.search", strict_slashes=False)
def search_codes(endpoint: str) -> Response:
    g.call.operation = "read"
    return respond(catalog.search(g.call, endpoint, parse_search(gate.read_body())))


@blueprint.get(f"{_CODES}/<path:code>", strict_slashes=False)
def get_code(endpoint: str, code: str) -> Response:
    if code == _SEARCH:
        raise MethodNotAllowed("OPTIONS, POST")
    return respond(catalog.get(g.call, endpoint, code, _projection(catalog.KINDS[endpoint])))


# --- how it leaves --------------------------------------------------------------------------------------


def _call(endpoint: str, resource_id: str | None = None) -> Call:
    call: Call = g.call
    if resource_id == _SEARCH:
        raise MethodNotAllowed("OPTIONS, POST")
    call.resource_type, call.resource_id = KINDS[endpoint].name, resource_id
    return call


def _show(endpoint: str, answer: Answer) -> Response:
    """One resource: with Location where it was made, ETag, and not at all where the client has it."""
    response = respond(answer.text, answer.status)
    if answer.location:
        response.headers.add("Location", answer.location)
    if answer.version is not None:
        response.headers.add("ETag", to_etag(answer.version))
        known = request.environ.get("HTTP_IF_NONE_MATCH")
        if known and request.method in ("GET", "HEAD") and is_matched(known, answer.version):
            response.status_code, response.data = 304, b""
            return response
    if answer.text and (projection := _projection(KINDS[endpoint])):
        response.set_data(apply_projection(answer.text, projection))
    return response


def _projection(kind: ResourceType) -> Projection | None:
    if not request.query_string:
        return None
    names = {name: request.args.getlist(name) for name in ("attributes", "excludedAttributes")}
    asked = parse_arguments(names)
    return parse_projection(asked.attributes, asked.excluded, kind)


def _list(resources: list[dict[str, Any]]) -> Response:
    paging = {"startIndex": 1, "itemsPerPage": len(resources)}
    return respond(render_list([dump(each) for each in resources], len(resources), **paging))


def _found(resource: dict[str, Any] | None, name: str) -> Response:
    if resource is None:
        raise NotFound(f"There is no {name[:200]!a}.")
    return respond(dump(resource))


def _refuse_filter() -> None:
    """RFC 7644 4: a filter on a discovery endpoint is 403, so that nobody mistakes the answer for a match."""
    if any(name.lower() == "filter" for name in request.args):
        raise Forbidden("Discovery endpoints take no filter.")


def _kinds() -> tuple[ResourceType, ...]:
    groups_too = (GROUP,) if g.call.company.groups else ()
    return (USER, *groups_too, TRAINING_TAG, LEARNING_JOURNEY)


def _base() -> str:
    return base_url(g.call.company_id)
