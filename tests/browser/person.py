"""One person at one browser: what they read and press, in the words of the screen."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, Response, expect

from app.demo_accounts import DEMO_PASSWORD

DESK = {"width": 1366, "height": 768}
PHONE = {"width": 390, "height": 844}
# A busy machine is no fault of the page: no test here tells of speed.
PATIENCE = 30_000
expect.set_options(timeout=PATIENCE)


@dataclass
class Person:
    """Presses, types and looks; remembers every fault that the browser saw."""

    page: Page
    address: str
    faults: list[str] = field(default_factory=list)
    expected_status: int = 0
    interactions: int = 0  # clicks and fields filled in
    menus: int = 0  # how often this person went by the menu

    def __post_init__(self) -> None:
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))
        self.page.on("request", self._request)
        self.page.on("requestfailed", self._failed)
        self.page.on("response", self._response)

    def _console(self, message: ConsoleMessage) -> None:
        is_refusal = self.expected_status and f"status of {self.expected_status}" in message.text
        if message.type in {"error", "warning"} and not is_refusal:
            self.faults.append(f"console: {message.text} at {self.page.url}")

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.address, "data:", "blob:")):
            self.faults.append(f"foreign host: {request.url}")

    def _failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # leaving a page ends what it still asked for
            self.faults.append(f"failed: {request.method} {request.url} {request.failure}")

    def _response(self, response: Response) -> None:
        if response.status >= 400 and response.status != self.expected_status:
            self.faults.append(
                f"{response.status}: {response.request.method} {response.url} from {self.page.url}"
            )

    # ------------------------------------------------------------------------------------------------------ going about
    def go(self, module: str, entry: str) -> None:
        """Open a page through the menu: its module unfolds, then the group that its entry stands in."""
        self.menus += 1
        link = self._entry(entry)
        if not self.page.locator("#side").is_visible():  # on a phone
            self.page.get_by_role("button", name="打开菜单", exact=True).click()
        if not link.is_visible():
            self.interactions += 1
            self._entry(module).click()
        if not link.is_visible():
            self.interactions += 1
            link.locator("xpath=ancestor::li[2]/button").click()
        self.follow(link)

    def _entry(self, label: str) -> Locator:
        """A link of the menu, whether or not something waits behind it."""
        return self.page.locator(
            "#side a", has_text=re.compile(rf"^\s*{re.escape(label)}\s*\d*\s*$")
        )

    def follow(self, link: Locator) -> None:
        """Click a link and wait for its page."""
        self.interactions += 1
        with self.page.expect_navigation():
            link.click()

    def open(self, path: str) -> None:
        """Open an address, as from a bookmark."""
        self.page.goto(self.address + path)

    def tab(self, label: str) -> None:
        """Turn to a tab of the record; one that is folded away is looked for under 更多."""
        tab = self.page.locator("#tabs > ul.tabs a").filter(
            has_text=re.compile(rf"^{label}\s*\d*$")
        )
        if tab.is_hidden():
            self.page.locator("#tabs > ul.tabs .more summary").click()
        self.follow(tab)
        expect(self.page.locator("#tabs > ul.tabs li.active")).to_contain_text(label)

    def press(self, label: str, *, reason: str = "", within: Locator | None = None) -> None:
        """Press a button or link and, where it asks first, say yes."""
        button = self.control(label, within)
        button.wait_for(state="attached")
        self.interactions += 1
        if button.is_hidden():  # folded into a menu
            self.interactions += 1
            button.locator("xpath=ancestor::details[1]/summary").click()
        asks = button.get_attribute("data-confirm") is not None
        self.interactions += asks + bool(reason)
        with self.page.expect_navigation():
            button.click()
            if asks:
                dialog = self.page.locator("dialog[open]")
                if reason:
                    dialog.get_by_role("textbox").fill(reason)
                dialog.get_by_role("button", name=label, exact=True).click()

    def control(self, label: str, within: Locator | None = None) -> Locator:
        """The button or link of this name in the page's content."""
        place = within or self.page.locator("main")
        return (
            place.locator("a, button")
            .filter(has_text=re.compile(rf"^\s*{re.escape(label)}\s*$"))
            .first
        )

    def refused(self, status: int, label: str) -> None:
        """Press a button of a form that will be refused."""
        self.expected_status = status
        self.press(label)
        self.page.wait_for_load_state("networkidle")
        self.expected_status = 0

    # ----------------------------------------------------------------------------------------------------------- forms
    def fill(self, values: dict[str, str]) -> None:
        """Fill in a form by its labels."""
        for label, value in values.items():
            self._fill(self.page.locator("form#form").get_by_label(label, exact=True), value)

    def _fill(self, control: Locator, value: str) -> None:
        self.interactions += 1
        if control.get_attribute("role") == "combobox":
            control.fill(value)
            control.page.locator(
                f"#{control.get_attribute('aria-controls')} [role=option]"
            ).first.click()
        elif control.evaluate("e => e.tagName") == "SELECT":
            control.select_option(label=value)
        elif control.get_attribute("type") == "checkbox":
            control.set_checked(value == "是")
        elif control.get_attribute("type") == "file":
            control.set_input_files(value)
        else:
            control.fill(value)

    def save(self, label: str = "保存") -> None:
        """Save the form; the next page must not be the form with faults."""
        self.press(label)
        expect(self.page.locator(".has-error")).to_have_count(0)

    def upload(self, category: str, path: Path) -> None:
        """Put a file into the record's 附件."""
        self.tab("附件")
        self.page.get_by_label("要件类别", exact=True).select_option(label=category)
        with self.page.expect_navigation():
            self.page.locator("form[data-upload] input[type=file]").set_input_files(path)
        expect(self.page.locator(".files")).to_contain_text(path.name)

    # --------------------------------------------------------------------------------------------------------- looking
    def sees(self, text: str) -> None:
        """The text stands somewhere on the page."""
        expect(self.page.locator("body")).to_contain_text(text)

    def cannot(self, label: str, because: str) -> None:
        """The button is there, does nothing, and says why."""
        button = self.control(label)
        expect(button).to_have_attribute("aria-disabled", "true")
        expect(button).to_have_attribute("data-why", re.compile(re.escape(because)))

    @property
    def path(self) -> str:
        """Where the person is."""
        return urlsplit(self.page.url).path


class Cast:
    """Everybody who has signed in so far, each at their own browser."""

    def __init__(self, browser: Browser, address: str) -> None:
        """`address` is where the product is served."""
        self.browser, self.address = browser, address
        self.people: dict[str, Person] = {}

    def __call__(self, name: str, viewport: dict[str, int] = DESK) -> Person:
        """The person of this name; the first time they sign in from the login page's list of accounts."""
        if name not in self.people:
            context = self.browser.new_context(
                viewport=viewport, locale="zh-CN", accept_downloads=True
            )  # type: ignore[arg-type]
            context.set_default_timeout(PATIENCE)
            person = Person(context.new_page(), self.address)
            person.open("/login/")
            # the list of accounts fills in the form
            person.page.get_by_role("button", name=name).click()
            expect(person.page.get_by_label("密码", exact=True)).to_have_value(DEMO_PASSWORD)
            with person.page.expect_navigation():
                person.page.get_by_role("button", name="登录", exact=True).click()
            expect(person.page.locator("body")).to_contain_text(name)
            self.people[name] = person
        return self.people[name]

    def leave(self, name: str) -> None:
        """The person closes their browser; its faults are looked at first."""
        person = self.people.pop(name)
        assert person.faults == []
        person.page.context.close()

    @property
    def faults(self) -> list[str]:
        """All faults that any browser saw."""
        return [
            f"{name} {fault}" for name, person in self.people.items() for fault in person.faults
        ]
