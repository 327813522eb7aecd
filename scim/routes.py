"""SCIM 2.0 at ``/scim/v2/<company_id>``: HTTP verbs only."""

from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

from flask import Blueprint, Response, g, request

from scim import gate
from scim.bodies import dump
from scim.errors import Forbidden, MethodNotAllowed, NotFound, NotImplementedHere
from scim.gate import respond
from scim.lists import codes as catalog
from scim.lists.kinds import apply_projection
from scim.lists.search import search
from scim.lists.search_request import SearchRequest, parse_arguments, parse_search
from scim.log.call import Call
from scim.resources import bulk, groups, users
from scim.resources.documents import Answer, base_url, is_matched, render_list, to_etag
from scim.schemas import discovery
from scim.schemas.attributes import ResourceType
from scim.schemas.projection import Projection, parse_projection
from scim.schemas.resource_types import GROUP, LEARNING_JOURNEY, TRAINING_TAG, USER

blueprint = Blueprint("scim", __name__, url_prefix="/scim/v2/<company_id>")
gate.install(blueprint)

RESOURCES, CODES = (USER, GROUP), (TRAINING_TAG, LEARNING_JOURNEY)
VERBS: dict[str, ModuleType] = {"User": users, "Group": groups}
_EVERY = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_SEARCH = ".search"

View = Callable[..., Response]


def _route(method: str, kinds: tuple[ResourceType, ...], rule: str = "") -> Callable[[View], View]:
    """Serve ``rule`` below the endpoint of each of ``kinds`` by one view, which is given the kind."""

    def add(view: View) -> View:
        for kind in kinds:
            name, serve = f"{view.__name__}_{kind.name}", partial(view, kind)
            blueprint.add_url_rule(kind.endpoint + rule, name, serve, methods=[method], strict_slashes=False)
        return view

    return add


@blueprint.url_value_preprocessor
def _drop_company(_: str | None, values: dict[str, Any] | None) -> None:
    # The gate has compared it with the token's own.
    (values or {}).pop("company_id", None)


# --- resources --------------------------------------------------------------------------------------


@_route("GET", RESOURCES)
def list_resources(kind: ResourceType) -> Response:
    g.call.resource_type = kind.name
    return respond(search(g.call, kind.endpoint, _arguments()))


@_route("POST", RESOURCES, "/.search")
def search_resources(kind: ResourceType) -> Response:
    g.call.operation, g.call.resource_type = "read", kind.name
    return respond(search(g.call, kind.endpoint, parse_search(gate.read_body())))


@blueprint.get("/", strict_slashes=False)
def list_everything() -> Response:
    return respond(search(g.call, "", _arguments()))


@blueprint.post("/.search", strict_slashes=False)
def search_everything() -> Response:
    g.call.operation = "read"
    return respond(search(g.call, "", parse_search(gate.read_body())))


@_route("POST", RESOURCES)
def create_resource(kind: ResourceType) -> Response:
    return _show(kind, VERBS[kind.name].create(_call(kind), gate.read_body()))


@_route("GET", RESOURCES, "/<resource_id>")
def get_resource(kind: ResourceType, resource_id: str) -> Response:
    call, projection = _call(kind, resource_id), _projection(kind)
    return _show(kind, VERBS[kind.name].get(call, resource_id, projection))


@_route("PUT", RESOURCES, "/<resource_id>")
def replace_resource(kind: ResourceType, resource_id: str) -> Response:
    call, if_match = _call(kind, resource_id), request.headers.get("If-Match")
    return _show(kind, VERBS[kind.name].replace(call, resource_id, gate.read_body(), if_match))


@_route("PATCH", RESOURCES, "/<resource_id>")
def patch_resource(kind: ResourceType, resource_id: str) -> Response:
    call, if_match = _call(kind, resource_id), request.headers.get("If-Match")
    return _show(kind, VERBS[kind.name].patch(call, resource_id, gate.read_body(), if_match))


@_route("DELETE", RESOURCES, "/<resource_id>")
def delete_resource(kind: ResourceType, resource_id: str) -> Response:
    call, if_match = _call(kind, resource_id), request.headers.get("If-Match")
    return _show(kind, VERBS[kind.name].delete(call, resource_id, if_match))


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


@_route("GET", CODES)
def list_codes(kind: ResourceType) -> Response:
    return respond(catalog.search(g.call, kind, _arguments()))


@_route("POST", CODES, "/.search")
def search_codes(kind: ResourceType) -> Response:
    g.call.operation = "read"
    return respond(catalog.search(g.call, kind, parse_search(gate.read_body())))


@_route("GET", CODES, "/<path:code>")
def get_code(kind: ResourceType, code: str) -> Response:
    if code == _SEARCH:
        raise MethodNotAllowed("OPTIONS, POST")
    return respond(catalog.get(g.call, kind, code, _projection(kind)))


# --- how it leaves --------------------------------------------------------------------------------------


def _call(kind: ResourceType, resource_id: str | None = None) -> Call:
    call: Call = g.call
    if resource_id == _SEARCH:
        raise MethodNotAllowed("OPTIONS, POST")
    call.resource_type, call.resource_id = kind.name, resource_id
    return call


def _show(kind: ResourceType, answer: Answer) -> Response:
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
    if answer.text and (projection := _projection(kind)):
        response.set_data(apply_projection(answer.text, projection))
    return response


def _arguments() -> SearchRequest:
    return parse_arguments(request.args.to_dict(flat=False))


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
