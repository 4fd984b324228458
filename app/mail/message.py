"""Render messages from templates: plain text and HTML, escaped, without header injection."""

from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate
from typing import Self

from email_validator import validate_email
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

TEMPLATE_PACKAGE = "app.mail"


@dataclass(frozen=True, slots=True)
class MessageFactory:
    """Renders `templates/NAME.subject`, `.txt` and `.html` into a message."""

    templates: Environment
    sender: str
    project_name: str
    link_base: str

    @classmethod
    def create(cls, *, sender: str, project_name: str, link_base: str) -> Self:
        """Load the templates of this package. An unknown variable in a template is an error."""
        templates = Environment(
            loader=PackageLoader(TEMPLATE_PACKAGE),
            autoescape=select_autoescape(["html"]),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        return cls(templates, sender, project_name, link_base)

    def render(self, template: str, to: str, *, message_id: str, **values: object) -> EmailMessage:
        """Return a message. Mail programs recognise a second copy by its `message_id`."""
        values = {"project_name": self.project_name, "link_base": self.link_base, **values}

        def part(suffix: str) -> str:
            return self.templates.get_template(f"{template}.{suffix}").render(values)

        message = EmailMessage(policy=SMTP)
        # One line, because a name may contain line break, which would start another header.
        message["Subject"] = " ".join(part("subject").split())
        message["From"] = self.sender
        message["To"] = Address(addr_spec=ascii_address(to))
        message["Date"] = formatdate()
        message["Message-ID"] = f"<{message_id}@{Address(addr_spec=_address_of(self.sender)).domain}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(part("txt"))
        message.add_alternative(part("html"), subtype="html")
        return message


def ascii_address(address: str) -> str:
    """Return an address with its domain in ASCII (IDNA 2008), as SMTP needs it."""
    return validate_email(address, check_deliverability=False, test_environment=True).ascii_email or address


def _address_of(sender: str) -> str:
    """Return the address of `Name <address>`."""
    return sender.rpartition("<")[2].rstrip("> ")
