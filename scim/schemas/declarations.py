"""Every attribute we know, declared once.

Discovery, filters, sorting, PATCH targets and projections all derive from here: each field becomes a
frozen ``Attribute`` (``scim.schemas.attributes``). Adding an attribute is one line.
"""

from marshmallow import Schema as Declaration

from scim.schemas.fields import boolean, many, one, reference, text, value


class Meta(Declaration):
    resourceType = text("The name of the resource type.", mutability="readOnly", case_exact=True)
    created = value("dateTime", "When the resource was created.", mutability="readOnly", column="created_at")
    lastModified = value(
        "dateTime", "When the resource last changed.", mutability="readOnly", column="modified_at"
    )
    location = reference("The URI of the resource.", "uri", mutability="readOnly")
    version = text("The version, as in the ETag header.", mutability="readOnly", case_exact=True)


class Resource(Declaration):
    """What every resource has, and no schema lists (RFC 7643 3.1)."""

    schemas = reference("The URNs of the schemas in use.", "uri", multi_valued=True, returned="always")
    id = text(
        "The identifier this service gave the resource.",
        case_exact=True,
        mutability="readOnly",
        returned="always",
        uniqueness="server",
        column="id",
    )
    externalId = text(
        "The identifier the provisioning client gave the resource.", case_exact=True, column="external_id"
    )
    meta = one(Meta, "When and where of the resource.", mutability="readOnly")


class Name(Declaration):
    formatted = text("The whole name, formatted for display.")
    familyName = text("The family name, or last name.", column="family_name")
    givenName = text("The given name, or first name.", column="given_name")
    middleName = text("The middle name or names.", column="middle_name")
    honorificPrefix = text("What stands before the name, such as Dr.")
    honorificSuffix = text("What stands behind the name, such as III.")


class Plural(Declaration):
    """Sub-attributes of multi-valued attributes (RFC 7643 2.4)."""

    value = text("The value itself.")
    display = text("The value in a form to show.")
    type = text("What the value is used for.")
    primary = boolean("Whether this is the preferred value; at most one is.")


class Email(Plural):
    value = text("The email address.")
    type = text("What the address is used for.", canonical_values=("work", "home", "other"))


class PhoneNumber(Plural):
    value = text("The phone number.")
    type = text(
        "What the number is used for.", canonical_values=("work", "home", "mobile", "fax", "pager", "other")
    )


class Im(Plural):
    value = text("The instant messaging address.")
    type = text(
        "The messaging service.",
        canonical_values=("aim", "gtalk", "icq", "xmpp", "msn", "skype", "qq", "yahoo"),
    )


class Photo(Plural):
    value = reference("The URL of the photo.", "external")
    type = text("The kind of photo.", canonical_values=("photo", "thumbnail"))


class Certificate(Plural):
    value = value("binary", "The certificate, DER encoded in base64.", case_exact=True)


class Address(Declaration):
    formatted = text("The whole address, formatted for display.")
    streetAddress = text("Street and house number.")
    locality = text("The city or locality.")
    region = text("The state or region.")
    postalCode = text("The postal code.")
    country = text("The country.")
    type = text("What the address is used for.", canonical_values=("work", "home", "other"))
    primary = boolean("Whether this is the preferred address; at most one is.")


class GroupOfUser(Declaration):
    value = text("The id of the group.", mutability="readOnly", case_exact=True)
    ref = reference("The URI of the group.", "Group", name="$ref", mutability="readOnly")
    display = text("The displayName of the group.", mutability="readOnly")
    type = text(
        "Whether the membership is direct.", canonical_values=("direct", "indirect"), mutability="readOnly"
    )


class CoreUser(Resource):
    userName = text(
        "The name of the person at the identity provider; unique in the company, whatever its case.",
        required=True,
        uniqueness="server",
        column="user_name_key",
    )
    name = one(Name, "The parts of the person's name.")
    displayName = text("The name to show.", column="display_name")
    nickName = text("What the person is called casually.")
    profileUrl = reference("A page about the person.", "external")
    title = text("The job title.", column="title")
    userType = text("learner or admin; whoever is neither counts as a learner.", column="user_type")
    preferredLanguage = text("The preferred language, as in Accept-Language.")
    locale = text("The locale, such as en-US.")
    timezone = text("The time zone, such as America/Los_Angeles.")
    active = boolean("Whether the person is employed; training pauses while false.", column="active")
    password = text("Accepted and discarded.", mutability="writeOnly", returned="never", case_exact=True)
    mobilePhone = text("The mobile phone number as one value, as the Entra guide maps it.")
    emails = many(Email, "Email addresses; training mail goes to the work one.")
    phoneNumbers = many(PhoneNumber, "Phone numbers.")
    ims = many(Im, "Instant messaging addresses.")
    photos = many(Photo, "URLs of photos.")
    addresses = many(Address, "Postal addresses.")
    groups = many(
        GroupOfUser, "The groups the person is in; changed through the groups.", mutability="readOnly"
    )
    entitlements = many(Plural, "Training codes and Learning Journey codes given to the person.")
    roles = many(Plural, "Roles of the person.", json_text=True)
    x509Certificates = many(Certificate, "Certificates of the person.")


class Manager(Declaration):
    value = text("The id of the manager's User resource.", case_exact=True)
    ref = reference("The URI of the manager's User resource.", "User", name="$ref")
    displayName = text("The displayName of the manager.", mutability="readOnly")


class Enterprise(Declaration):
    employeeNumber = text("The number of the employee.", column="employee_number")
    costCenter = text("The cost center.")
    organization = text("The organization.")
    division = text("The division.")
    department = text("The department.")
    manager = one(Manager, "The person's manager.")
    location = text("The work location, as the Entra guide maps it.")


class Training(Declaration):
    """The attributes Smart Assign and the training tags need, under whatever URN an administrator chose."""

    training_tags = text(
        "Training codes and Learning Journey codes, separated by commas; a list is understood too.",
        verbatim=True,
    )
    learnerRole = text("supervisor or non-supervisor.")
    location = text("The work location.")
    state = text("The state or region of the work location.")
    country = text("The country of the work location.")
    department = text("The department.")


class Member(Declaration):
    value = text("The id of the member.", mutability="immutable", case_exact=True)
    ref = reference("The URI of the member.", "User", "Group", name="$ref", mutability="immutable")
    type = text("User or Group.", canonical_values=("User", "Group"), mutability="immutable")
    display = text("The displayName of the member.", mutability="readOnly")


class CoreGroup(Resource):
    displayName = text("The name of the group.", required=True, column="display_name_key")
    members = many(Member, "The members of the group.", typed=False)


class Entitlement(Resource):
    displayName = text("The title of the course or journey.", mutability="readOnly")
    type = text("What the code stands for.", mutability="readOnly", canonical_values=("course", "journey"))
    description = text("What a person who holds the entitlement is assigned.", mutability="readOnly")
