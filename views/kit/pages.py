"""What screens hand to templates: plain values, so that templates know neither models nor the framework.

Cells carry text that is already formatted; a template only places them.
"""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Cell:
    """One value as readers see it; kind is text, money, rate, int, date, datetime, bool, enum, link or file."""

    text: str
    kind: str = "text"
    url: str = ""
    title: str = ""
    tone: str = ""
    hint: str = ""
    reveal_url: str = ""


@dataclass(frozen=True)
class Action:
    """A button or menu entry; `method` POST gets a CSRF token; `why_not` disables it and says what is missing.

    style is primary, plain, danger or link; `confirm` asks before sending (object and consequence in figures),
    `ask` is the label of a text that the confirmation asks for (sent as `reason`); `mend_url` is where what is
    missing can be mended.
    """

    label: str
    url: str
    method: str = "GET"
    style: str = "plain"
    icon: str = ""
    confirm: str = ""
    ask: str = ""
    ask_required: bool = False
    why_not: str = ""
    mend_url: str = ""
    hotkey: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    new_window: bool = False  # a PDF to look at beside the page


@dataclass(frozen=True)
class Column:
    """A list column; `sort` is '', 'asc' or 'desc'; `sort_url` is empty where sorting is not offered."""

    key: str
    label: str
    kind: str = "text"
    unit: str = ""
    sort: str = ""
    sort_url: str = ""


@dataclass(frozen=True)
class Row:
    """A list row; `cells` stand in the order of the columns, `key` with `seen` is sent by bulk actions."""

    key: str
    url: str
    cells: tuple[Cell, ...]
    actions: tuple[Action, ...] = ()
    tone: str = (
        ""  # reports: warn, bad, total or head; warn and bad tint the cells that have a tone
    )
    group: str = ""  # reports: heading cell before this row, `span` rows high
    span: int = 0
    level: int = 0  # indentation of the first cell, 0 to 3
    main: int = 0  # the cell that opens the row's address
    seen: str = ""  # the version that the reader sees, as ".3"


@dataclass(frozen=True)
class Chip:
    """An applied filter in words, with the address that takes it away."""

    label: str
    operator: str
    value: str
    remove_url: str


@dataclass(frozen=True)
class FilterChoice:
    """A filter that can be added: the field, its operators and how its value is typed; `options` by their key."""

    key: str
    label: str
    kind: str
    group: str
    operators: tuple[tuple[str, str], ...] = ()
    options: str = ""
    lookup_url: str = ""


@dataclass(frozen=True)
class Tab:
    """A tab with a count (None: no count), of more than `most` as "1000+"."""

    label: str
    url: str
    is_active: bool = False
    count: int | None = None
    key: str = ""
    most: int | None = None

    @property
    def shown(self) -> str:
        """The count as it stands on the tab."""
        is_cut = self.count is not None and self.most is not None and self.count > self.most
        return f"{self.most}+" if is_cut else f"{self.count}"


@dataclass(frozen=True)
class Paging:
    """Where the reader is in the list."""

    first: int
    last: int
    total: int
    page: int
    pages: int
    size: int
    sizes: tuple[tuple[int, str], ...]
    links: tuple[tuple[str, str, bool], ...]  # label, url ('' for a gap), is current
    exact_url: str = ""  # there are more rows than `total` says; this page counts them
    unit: str = "条"

    @property
    def count(self) -> str:
        """How many there are, in figures: "10,000+" where counting ended."""
        return f"{self.total:,}{'+' if self.exact_url else ''}"


@dataclass(frozen=True)
class LaterSums:
    """Sums that the page does not wait for: the address that answers them, and the page that has them in it."""

    url: str
    page_url: str


@dataclass(frozen=True)
class ViewChip:
    """A saved view over a list: one click opens it."""

    label: str
    url: str
    is_active: bool = False
    title: str = ""  # whose it is, and who finds it


@dataclass(frozen=True)
class ViewOpen:
    """The view that a list shows, and what may be done with it; `change_url` empty where it is another's."""

    name: str
    version: int
    sharing: str
    is_changed: bool = False  # the list shows something else by now
    change_url: str = ""
    key: int = 0
    actions: tuple[Action, ...] = ()
    role_url: str = ""  # makes it the default of a role
    roles: tuple[str, ...] = ()


@dataclass(frozen=True)
class ViewBar:
    """The saved views of a list (template parts/views.html)."""

    keep_url: str
    args: tuple[tuple[str, str], ...] = ()  # what the list shows now, beside its filters
    raws: tuple[str, ...] = ()  # its filters
    sharings: tuple[tuple[str, str], ...] = ()
    chips: tuple[ViewChip, ...] = ()
    rest: tuple[ViewChip, ...] = ()
    opened: ViewOpen | None = None


@dataclass
class ListPage:
    """A generated list: template list.html."""

    title: str
    note: str
    columns: list[Column]
    rows: list[Row]
    paging: Paging
    actions: list[Action] = field(default_factory=list)
    exports: list[Action] = field(default_factory=list)
    bulk: list[Action] = field(default_factory=list)
    tabs: list[Tab] = field(default_factory=list)
    chips: list[Chip] = field(default_factory=list)
    clear_url: str = ""
    filters_url: str = ""  # answers what can be filtered by
    rule: str = ""  # 高级条件 as typed
    search: str = ""
    search_hint: str = ""
    url: str = ""
    kept_args: list[tuple[str, str]] = field(default_factory=list)
    # label, text by column key
    sums: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    later_sums: LaterSums | None = None  # where the last of the sums is asked for afterwards
    columns_url: str = ""  # keeps the chosen columns, then goes on to `columns_next`
    columns_next: str = ""
    columns_reset: str = ""  # where it goes on to when everything is as from the start
    order_url: str = ""  # keeps the order that the head of a column brings about
    views: ViewBar | None = None
    groupings: list[tuple[str, str, bool]] = field(
        default_factory=list
    )  # label, address, is so now
    all_columns: list[tuple[str, str, bool]] = field(default_factory=list)  # key, label, shown
    empty: str = ""
    empty_action: Action | None = None
    crumbs: list[tuple[str, str]] = field(default_factory=list)
    help_key: str = ""
    tab_actions: list[Action] = field(default_factory=list)  # beside the tabs: 存为方案
    problems: list[str] = field(default_factory=list)  # what of the address made no sense


@dataclass
class Field:
    """A form field: `html` is the WTForms field itself or its html, already escaped."""

    key: str
    label: str
    html: Any
    kind: str = "text"
    required: bool = False
    unit: str = ""
    help: str = ""
    errors: tuple[str, ...] = ()
    wide: bool = False
    reveal_url: str = ""
    id: str = ""  # of the control, where it differs from the key
    is_out: bool = False  # its condition does not ask for it


@dataclass
class FieldGroup:
    """Fields under one heading."""

    label: str
    fields: list[Field]


@dataclass
class GridRow:
    """A row of a grid: cells to fill in, or the texts of a row that the reader may not change."""

    number: str
    key: str = ""  # id of the row that stands
    version: str = ""
    fields: list[Field] = field(default_factory=list)
    texts: list[Cell] = field(default_factory=list)
    may_drop: bool = False
    is_dropped: bool = False
    problem: str = ""


@dataclass
class GridPage:
    """Child rows to be filled in beside each other: template parts/grid.html; `blank` is what a new row begins with."""

    table: str
    label: str
    columns: list[Column]
    rows: list[GridRow]
    blank: GridRow | None = None
    required: frozenset[str] = frozenset()
    note: str = ""
    rows_max: int = 0


@dataclass
class GridOffer:
    """A grid that a form may open: its address, how many rows stand, and the grid itself once it is open."""

    table: str
    label: str
    url: str
    count: int = 0
    grid: GridPage | None = None


@dataclass(frozen=True)
class Draft:
    """What the template of a form knows of its draft; `place` is the address of the form."""

    place: str
    kept_at: str = ""  # when something was typed before that the form does not show
    is_open: bool = False  # the form shows it: its save takes it away

    @property
    def url(self) -> str:
        """The form with what was typed before."""
        return f"{self.place}{'&' if '?' in self.place else '?'}draft=1"


@dataclass
class FormPage:
    """A generated add or edit form: template form.html; `propose_url` answers what a choice proposes elsewhere."""

    title: str
    groups: list[FieldGroup]
    action_url: str
    cancel_url: str
    hidden: list[Any] = field(default_factory=list)
    submit_label: str = "保存"
    submit_name: str = ""  # sent by that button, where another one saves less
    second_label: str = ""  # that other button
    note: str = ""
    errors: list[tuple[str, str, str]] = field(default_factory=list)  # field key, label, message
    stale: list[tuple[str, str, str]] = field(default_factory=list)  # label, old, new
    crumbs: list[tuple[str, str]] = field(default_factory=list)
    is_upload: bool = False
    side: list["Section"] = field(default_factory=list)
    help_key: str = ""
    actions: list[Action] = field(default_factory=list)
    propose_url: str = ""
    asked_url: str = ""  # answers which fields conditions ask for
    can_go_on: bool = False  # another one may be added at once
    grids: list[GridOffer] = field(default_factory=list)  # child rows that are filled in with it
    draft: Draft | None = None


@dataclass
class Fact:
    """A labelled value of a record."""

    label: str
    cell: Cell
    key: str = ""


@dataclass
class Section:
    """A tab or card of a record page: facts, a small table, or ready-made html; exactly one of them."""

    key: str
    label: str
    facts: list[tuple[str, list[Fact]]] = field(default_factory=list)  # group label, facts
    columns: list[Column] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    sums: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    template: str = ""
    data: Any = None
    empty: str = ""
    count: int | None = None
    is_count_whole: bool = True  # else there are more
    more_url: str = ""
    more_label: str = "查看全部"
    note: str = ""  # grey words beside the heading
    foot: str = ""  # left of the footer
    foot_figure: str = ""  # right of the footer, bold
    width: int = 4  # workbench: columns of twelve (3 to 9, or 12)
    later_url: str = ""  # the card is still empty and is fetched from here


@dataclass
class RecordPage:
    """A generated record page: template record.html."""

    title: str
    crumbs: list[tuple[str, str]]
    facts: list[Fact] = field(default_factory=list)  # the head's strip
    state: Cell | None = None
    # first with style primary is the reader's next step
    actions: list[Action] = field(default_factory=list)
    more: list[Action] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)
    active: str = ""
    aside: list[Section] = field(default_factory=list)
    stages: list["Stage"] = field(default_factory=list)
    waits: list[Any] = field(default_factory=list)  # views.kit.waits.Wait: who has to do what next
    notice: str = ""
    help_key: str = ""
    above: list[Section] = field(default_factory=list)
    below: list[Section] = field(default_factory=list)  # under the tabs: 最近动态
    notice_action: Action | None = None
    tab_url: str = "?tab="  # the key of a section is appended


@dataclass(frozen=True)
class Stage:
    """One point of a stage line: state is done, current, todo or stopped."""

    label: str
    state: str
    when: str = ""
    who: str = ""
    days: int | None = None
    url: str = ""


@dataclass(frozen=True)
class TimelineItem:
    """One line of a timeline: who did what, with old → new."""

    when: str
    who: str
    text: str
    changes: tuple[tuple[str, str, str], ...] = ()
    url: str = ""
    is_new: bool = False  # since its reader looked last
    picture: str = ""  # address of a signature


@dataclass(frozen=True)
class GateItem:
    """A condition with its evidence and, when unmet, the link that mends it."""

    label: str
    is_met: bool
    evidence: str
    url: str = ""
    mend_label: str = ""
    detail: str = ""
    is_warning: bool = False  # met, but worth a look: a triangle instead of the tick
    is_waiting: bool = False  # not failed, its turn has not come: a ring instead of the tick


@dataclass(frozen=True)
class Meter:
    """A figure against its limit: shares are percentages of the bar's width, 0 to 100."""

    label: str
    before: str
    after: str
    limit: str
    share_before: str
    share_added: str
    share_warning: str
    note: str = ""
    is_over: bool = False


@dataclass(frozen=True)
class FeedItem:
    """One line of a feed (template parts/feed.html): a mark, two lines of text, a date."""

    title: str
    sub: str = ""
    mark: Cell | None = None
    right: str = ""
    url: str = ""


@dataclass(frozen=True)
class Lane:
    """A lane of a board (template parts/lanes.html): its cards, and words on `more` of them."""

    label: str
    note: str
    count: int
    url: str
    cards: tuple[FeedItem, ...]
    more: str = ""


@dataclass(frozen=True)
class FileItem:
    """A file to open (template parts/files.html)."""

    name: str
    url: str
    note: str = ""
    actions: list["Action"] = field(default_factory=list)


@dataclass(frozen=True)
class Upload:
    """A place to drop files (template parts/upload.html)."""

    url: str
    label: str = "选择文件，或拖到这里"
    name: str = "file"
    accept: str = ""
    help: str = ""
    many: bool = False
    hidden: tuple[tuple[str, str], ...] = ()


@dataclass
class Comments:
    """Remarks on a record with a box for the next one (template parts/comments.html); `errand` asks a colleague."""

    items: list[TimelineItem]
    url: str = ""
    errand: str = ""


@dataclass(frozen=True)
class Slice:
    """A part of a donut; `share` is in percent."""

    label: str
    figure: str
    share: float
    url: str = ""


@dataclass(frozen=True)
class Donut:
    """A whole in at most four parts (template parts/legend.html)."""

    total: str
    unit: str
    slices: tuple[Slice, ...]
    drawing: Any = ""  # the ring as markup


@dataclass(frozen=True)
class ChartCard:
    """A figure over its chart (template parts/chart.html); `drawings` are for ever wider boxes, the widest fits."""

    figure: str = ""
    unit: str = ""
    url: str = ""
    side: str = ""
    notes: tuple[tuple[str, str, str], ...] = ()  # words, figure, share
    axis: str = ""  # unit of the axis
    drawings: tuple[Any, ...] = ()


@dataclass(frozen=True)
class MenuItem:
    """A menu entry."""

    label: str
    url: str
    is_active: bool = False
    count: int | None = None


@dataclass(frozen=True)
class MenuFold:
    """Entries of a module that fold away together."""

    label: str
    entries: tuple[MenuItem, ...]
    is_active: bool = False
    count: int | None = None


@dataclass(frozen=True)
class MenuModule:
    """A menu module with its entries and folds of entries; icon is a symbol name of icons.svg."""

    label: str
    icon: str
    items: tuple[MenuItem | MenuFold, ...]
    is_active: bool = False
    count: int | None = None
    url: str = ""


@dataclass(frozen=True)
class Shell:
    """What surrounds every page of a signed-in person."""

    company: str
    seal: str
    # ('', …) front office, ('后台设置', …)
    sections: tuple[tuple[str, tuple[MenuModule, ...]], ...]
    business_date: str
    weekday: str
    user_name: str
    user_role: str
    unread: int
    help_url: str = ""
    theme: str = ""
    home_url: str = "/"
    search_url: str = (
        ""  # GET ?q=…; with Accept: application/json it answers as look-ups do, plus "url"
    )
    inbox_url: str = ""
    user_links: tuple[MenuItem, ...] = ()  # 个人设置, 修改密码 …
    logout_url: str = "/logout/"
    jobs: tuple["Job", ...] = ()  # long work of this person that still runs


@dataclass(frozen=True)
class Job:
    """Long work: `status_url` answers {"percent", "label", "state"}, and "url" once there is a result."""

    label: str
    status_url: str
    url: str = ""
    percent: int = 0
    state: str = "running"  # running, done or failed
    steps: tuple[tuple[str, str, str], ...] = ()  # label, state (done, now, todo, failed), result


@dataclass(frozen=True)
class Stat:
    """One figure of the line above the workbench."""

    label: str
    value: str
    unit: str = ""
    figure: str = ""
    figure_unit: str = ""
    url: str = ""
    tone: str = ""


@dataclass
class HomePage:
    """The workbench: template home.html; dragging cards posts {"keys": [...]} to `arrange_url`."""

    title: str
    note: str = ""
    actions: list[Action] = field(default_factory=list)
    stats: list[Stat] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)
    arrange_url: str = ""
    help_key: str = ""


@dataclass(frozen=True)
class Decision:
    """A button of the approval page, sent as `decision`; style is primary, plain or danger."""

    value: str
    label: str
    style: str = "plain"
    needs_opinion: bool = False
    confirm: str = ""
    why_not: str = ""


@dataclass
class ApprovalPage:
    """The decision on one task: template approval.html; posts decision, opinion, return_to and `hidden`."""

    title: str
    crumbs: list[tuple[str, str]]
    who: str
    action_url: str
    decisions: list[Decision] = field(default_factory=list)
    who_url: str = ""
    amount: str = ""
    unit: str = ""
    number: str = ""
    state: Cell | None = None  # 剩 5 小时, 超时 1 天
    position: str = ""  # 待办 1 / 7
    facts: list[Fact] = field(default_factory=list)
    steps: list[Stage] = field(default_factory=list)
    checks: list[GateItem] = field(default_factory=list)
    phrases: tuple[str, ...] = ()
    return_targets: tuple[tuple[str, str], ...] = ()
    opinion: str = ""
    opinion_hint: str = "退回、否决时必填"
    errors: list[tuple[str, str, str]] = field(default_factory=list)
    hidden: list[tuple[str, str]] = field(default_factory=list)
    fields: list[Field] = field(default_factory=list)  # what this node asks for besides the opinion
    files: list[Field] = field(default_factory=list)  # what must be sent along
    signature: str = ""  # 可选 or 必须, where one signs by hand
    signature_value: str = ""  # as it was sent, where something else was refused
    actions: list[Action] = field(default_factory=list)  # 查看项目, 打印审批单
    more: list[Action] = field(default_factory=list)  # 转办, 加签, 催办
    sections: list[Section] = field(default_factory=list)
    notice: str = ""  # why there is nothing to decide
    help_key: str = ""


@dataclass
class ReportPage:
    """A report: template report.html."""

    title: str
    columns: list[Column]
    rows: list[Row]
    note: str = ""
    group_label: str = "类别"
    heading: str = ""
    states: list[Cell] = field(default_factory=list)  # 1 项超限, 3 项预警
    params: list[Field] = field(default_factory=list)
    hidden: list[Any] = field(default_factory=list)
    url: str = ""
    actions: list[Action] = field(default_factory=list)
    param_actions: list[Action] = field(default_factory=list)  # 存为方案
    sums: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    tabs: list[Tab] = field(default_factory=list)
    paging: Paging | None = None
    aside: list[Section] = field(default_factory=list)
    above: list[Section] = field(default_factory=list)
    # cards under the table, columns of twelve wide
    below: list[Section] = field(default_factory=list)
    foot: str = ""
    foot_url: str = ""
    foot_label: str = ""
    empty: str = ""
    errors: list[tuple[str, str, str]] = field(default_factory=list)
    crumbs: list[tuple[str, str]] = field(default_factory=list)
    help_key: str = ""
