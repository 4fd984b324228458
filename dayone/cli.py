"""The commands."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.prompt import Prompt
from rich.table import Table

from dayone.doctor import examine
from dayone.errors import ToolError
from dayone.features import choices, load_features
from dayone.git import require_git
from dayone.names import Names, check_name, check_title, title_of
from dayone.new import check_target, make_project
from dayone.project import open_project
from dayone.prompts import ask_features, check_options, console
from dayone.render import Project
from dayone.resources.commands import add_resource, remove_resource
from dayone.resources.fields import ARGUMENTS
from dayone.source import load_template
from dayone.update import Outcome, remove_feature, unknown_features, update

cli = typer.Typer(
    help="Start a service from this template, add resources to it, and take later versions.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
add = typer.Typer(help="Add a resource.", no_args_is_help=True)
remove = typer.Typer(help="Remove a resource or a feature.", no_args_is_help=True)
cli.add_typer(add, name="add")
cli.add_typer(remove, name="remove")
Plural = Annotated[str | None, typer.Option(help="The plural, if it is irregular: people.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show the difference.")]


@contextmanager
def errors() -> Iterator[None]:
    """Print a ToolError in one line and exit with 1."""
    try:
        yield
    except (ToolError, EOFError) as error:
        typer.echo(f"Error: {error or 'there is no terminal to ask; use --yes'}", err=True)
        raise typer.Exit(1) from None


@cli.command()
def new(
    path: Annotated[Path, typer.Argument(help="The folder to make; its name is the name of the project.")],
    *,
    name: Annotated[str | None, typer.Option("--name", help="The title for people: 'Corner Shop'.")] = None,
    without: Annotated[list[str] | None, typer.Option(help="Leave a feature out; can be repeated.")] = None,
    with_: Annotated[list[str] | None, typer.Option("--with", help="Add a feature that is not a default.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing: use the defaults for what is not given.")] = False,
) -> None:
    """Start a project in a new folder."""
    with errors():
        require_git()
        project_name = check_name(path.absolute().name)
        check_target(path.absolute())
        template = load_template()
        features = load_features(template.tree)
        check_options(with_ or [], without or [], features)
        if name is None and not yes:
            name = Prompt.ask("The title of the project", default=title_of(project_name), console=console)
        names = Names(project_name, check_title(name or title_of(project_name)))
        kept = {name for name, feature in choices(features).items() if feature.is_default or name in (with_ or [])}
        if without is None and not yes:
            kept = ask_features(template, features, kept)
        ordered = tuple(name for name in features if name in kept - set(without or []))
        make_project(template, path.absolute(), Project(names, template.version, ordered))
    console.print(f"{names.title} is in {path}. Next:\n\n  cd {path}\n  make run     # http://127.0.0.1:{names.port}")


@cli.command("update")
def update_command(
    *,
    to: Annotated[str | None, typer.Option(help="The version to take; that version of the tool must run.")] = None,
    with_: Annotated[list[str] | None, typer.Option("--with", help="Add a feature that the project lacks.")] = None,
) -> None:
    """Merge the version of the template that this tool contains."""
    with errors():
        template, checkout = load_template(), open_project(Path.cwd())
        if to not in (None, template.version):
            raise ToolError(f"This is dayone {template.version}. Install dayone {to}, and run `dayone update` again")
        outcome = update(checkout, template, with_ or [])
        report(outcome, f"The project has dayone {template.version}.")
        others = unknown_features(open_project(Path.cwd()), template)
        if others:
            console.print(
                f"Features that it does not have: {', '.join(others)}. Add one with dayone update --with NAME"
            )


def report(outcome: Outcome | None, success: str) -> None:
    """Print what a merge left to do; exit with 1 if there are conflicts."""
    if outcome is None:
        console.print("There is nothing to merge.")
        return
    if not outcome.conflicts:
        console.print(f"{success} The merge is committed.")
    for command in outcome.commands:
        console.print(f"Run: {command}")
    if outcome.conflicts:
        console.print("Resolve the conflicts in these files, then `git add` them and `git commit`:", style="bold")
        console.print("\n".join(f"  {path}" for path in outcome.conflicts))
        console.print("To go back instead: git merge --abort")
        raise typer.Exit(1)


@cli.command()
def diff(
    *, stat: Annotated[bool, typer.Option(help="Only the names of files, with numbers of lines.")] = False
) -> None:
    """Show what the project changed against its template."""
    with errors():
        checkout = open_project(Path.cwd())
        options = ["--stat"] if stat else []
        typer.echo(checkout.repository.run("diff", *options, checkout.merged_revision()))


@cli.command()
def doctor() -> None:
    """Check what is installed, what differs from the template, and what would fail to start."""
    with errors():
        findings = list(examine(open_project(Path.cwd()), load_template()))
    table = Table(box=None, show_header=False)
    for finding in findings:
        table.add_row("[red]✗[/red]" if finding.is_failure else " ", finding.subject, finding.state)
    console.print(table)
    raise typer.Exit(int(any(finding.is_failure for finding in findings)))


@add.command("resource")
def add_resource_command(
    name: Annotated[str, typer.Argument(help="The singular: book.")],
    fields: Annotated[
        list[str], typer.Argument(help="name:type[:unique][:indexed][?][=default]; types: " + ", ".join(ARGUMENTS))
    ],
    *,
    plural: Plural = None,
    dry_run: DryRun = False,
) -> None:
    """Write a resource: model, schemas, service, router, migration and tests."""
    with errors():
        typer.echo(
            add_resource(open_project(Path.cwd()), load_template(), name, fields, plural=plural, dry_run=dry_run)
        )


@remove.command("resource")
def remove_resource_command(name: str, *, plural: Plural = None, dry_run: DryRun = False) -> None:
    """Delete a resource, with a migration that drops its table."""
    with errors():
        typer.echo(remove_resource(open_project(Path.cwd()), name, plural=plural, dry_run=dry_run))


@remove.command("feature")
def remove_feature_command(name: str) -> None:
    """Remove a feature, with migrations that drop what it had."""
    with errors():
        outcome = remove_feature(open_project(Path.cwd()), load_template(), name)
        report(outcome, f"The feature {name} is removed.")


def stop(*_: object) -> NoReturn:
    """Exit through the clean-up of every block."""
    sys.exit(143)


def main() -> None:
    """Run a command. SIGTERM cleans up as Ctrl-C does."""
    signal.signal(signal.SIGTERM, stop)
    cli()
