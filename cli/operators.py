"""``operator``: who may sign in to the dashboard of a company."""

import click
from flask.cli import AppGroup

from cli.address import find_address
from cli.asking import Failed, of_company
from dashboard.access.operators import ROLES, OperatorError, add_operator, list_operators, remove_operator
from dashboard.access.sign_in import create_sign_in_link

operator = AppGroup("operator", help="Who may sign in to the dashboard.")
COMMANDS = (operator,)


@operator.command("add")
@of_company(OperatorError)
@click.argument("email")
@click.option(
    "--role", type=click.Choice([*ROLES]), default="viewer", help="An owner changes, a viewer looks."
)
def add(company_id: str, email: str, role: str) -> None:
    """Add an operator and print the link that signs them in, once; there they set a password."""
    add_operator(company_id, email, role)
    _print_link(company_id, email)


@operator.command("link")
@of_company(OperatorError)
@click.argument("email")
def link(company_id: str, email: str) -> None:
    """Print a new sign-in link of an operator, good once and for a day; older ones stop working."""
    _print_link(company_id, email)


@operator.command("list")
@of_company()
def show_all(company_id: str) -> None:
    """List the operators of a company, and when each last signed in."""
    for line in list_operators(company_id):
        seen = f"{line.signed_in_at:%Y-%m-%d %H:%M}" if line.signed_in_at else "never"
        click.echo(f"{line.role:<7} last signed in {seen:<17} {line.email}")


@operator.command("remove")
@of_company(OperatorError)
@click.argument("email")
def remove(company_id: str, email: str) -> None:
    """Remove an operator and sign them out everywhere; the last owner stays."""
    wanted = email.strip().casefold()
    for line in list_operators(company_id):
        if line.email.casefold() == wanted:
            remove_operator(company_id, line.id)
            click.echo(f"Removed {line.email}.")
            return
    raise Failed(f"Company {company_id} has no operator {email}.")


def _print_link(company_id: str, email: str) -> None:
    link = make_link(company_id, email)
    click.echo(link)
    if link.startswith("/"):
        click.echo(
            "Open it on your service's own address; with PUBLIC_URL set, the whole link is printed.", err=True
        )


def make_link(company_id: str, email: str, url: str = "") -> str:
    """A new sign-in link as the world reaches the service; its path alone where nobody has said how."""
    return (url or find_address()) + create_sign_in_link(company_id, email)
