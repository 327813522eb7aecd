"""The catalog as its file: read it, change it, see what changes for whom, save it."""

from dataclasses import dataclass

from flask import Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from dashboard.blueprint import pages
from dashboard.guard import current_operator
from dashboard.queries.overview import load_overview
from models import utcnow
from reconcile.catalog.change import diff_catalog, export_catalog, preview_catalog, save_catalog
from reconcile.catalog.difference import CatalogDifference
from reconcile.catalog.document import CatalogError
from reconcile.catalog.file import CatalogFile, parse_catalog
from reconcile.store.summary import RunSummary

MOST_PREVIEWED = 5_000
"""In companies of at most so many people the browser waits until the effect of a new file is known."""
LONGEST_FILE = 1_000_000


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a new file changes in the catalog, and for whom; None where the company is too large to wait."""

    difference: CatalogDifference
    summary: RunSummary | None

    @property
    def seen(self) -> str:
        """What the operator agrees to; comes back with the confirmation."""
        people = (self.summary.tally.losing, self.summary.tally.gaining) if self.summary else ("", "")
        return " ".join(map(str, (len(self.difference.changes), *people)))


@pages.get("/catalog/file")
def catalog_file() -> str:
    """The file as it stands, to be changed."""
    text = export_catalog(current_operator().company_id)
    return render_template("catalog/file.html", text=text, mistakes=[], foreseen=None)


@pages.get("/catalog/file.yaml")
def download_catalog() -> Response:
    """The file, to be kept in a repository and loaded again."""
    company_id = current_operator().company_id
    response = Response(export_catalog(company_id), mimetype="application/yaml")
    response.headers["Content-Disposition"] = f'attachment; filename="catalog-{company_id}.yaml"'
    return response


@pages.post("/catalog/file")
def save_file() -> AnyResponse | str | tuple[str, int]:
    """Show what a new file changes; save it once that was confirmed."""
    company_id, text = current_operator().company_id, request.form.get("text", "")[:LONGEST_FILE]
    try:
        file = parse_catalog(text.replace("\r\n", "\n"))
        foreseen = _foresee(company_id, file)
        if request.form.get("seen") != foreseen.seen:
            return render_template("catalog/file.html", text=text, mistakes=[], foreseen=foreseen)
        save_catalog(company_id, file, approved=foreseen.summary)
    except CatalogError as error:
        mistakes = error.list_sentences()
        return render_template("catalog/file.html", text=text, mistakes=mistakes, foreseen=None), 422
    flash("The catalog is saved. The next run plans whom it concerns.", "good")
    return redirect(url_for("dashboard.catalog"))


def _foresee(company_id: str, file: CatalogFile) -> Foreseen:
    difference = diff_catalog(company_id, file)
    is_small = load_overview(company_id, utcnow()).people <= MOST_PREVIEWED
    return Foreseen(difference, preview_catalog(company_id, file) if is_small else None)
