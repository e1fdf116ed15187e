"""An approval flow as a graph (A9): nodes in a line, forks whose branches meet again, and what is wrong with one.

A flow without branches is its own main line. `seq` orders nodes over the whole graph: what comes later has a greater
one, so that the list of nodes reads as the flow runs.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from models.approval.approval import ApprovalBranch, ApprovalFlow, ApprovalNode, BranchKind

DEPTH_MAX: Final = 3  # a fork within a branch within a branch: deeper ones nobody reads
_LAST: Final = 10**6  # where a fork without nodes stands


@dataclass(frozen=True)
class Lane:
    """A branch with what stands on it."""

    branch: ApprovalBranch
    items: "tuple[Item, ...]"


@dataclass(frozen=True)
class Fork:
    """Branches that part at one place and meet again at one place."""

    kind: BranchKind
    lanes: tuple[Lane, ...]


Item = ApprovalNode | Fork


@dataclass(frozen=True)
class Way:
    """What the rules of a flow have decided of a submission: the branches it takes, the nodes that they spare it."""

    branches: frozenset[int] = frozenset()
    skipped: frozenset[int] = frozenset()

    @classmethod
    def read(cls, facts: Mapping[str, Any]) -> "Way":
        """As it was frozen when an approval began; flows without rules have none."""
        kept = facts.get("way") or {}
        return cls(frozenset(kept.get("branches", ())), frozenset(kept.get("skipped", ())))

    def frozen(self) -> dict[str, dict[str, list[int]]]:
        """To be kept among the facts of an approval; empty where no rule had anything to decide."""
        found = {"branches": sorted(self.branches), "skipped": sorted(self.skipped)}
        return {"way": found} if self.branches or self.skipped else {}


@dataclass(frozen=True)
class Defect:
    """What makes a flow no graph: said at a node (its `seq`), at a branch (its `no`), or of the whole."""

    what: str
    seq: int | None = None
    branch_no: int | None = None


# -------------------------------------------------------------------------------------------------------------- shape
def line(
    flow: ApprovalFlow, inside: int | None = None, above: frozenset[int | None] = frozenset()
) -> tuple[Item, ...]:
    """What stands on the main line or on a branch, in order; `above` are those around it.

    A draft may be no graph yet and is drawn all the same: what lies too deep or within itself is left out.
    """
    if inside in above or len(above) > DEPTH_MAX + 1:
        return ()
    found: list[tuple[int, Item]] = [
        (node.seq, node) for node in flow.nodes if node.branch_no == inside
    ]
    forks: dict[int, list[ApprovalBranch]] = {}
    for branch in sorted(flow.branches, key=lambda one: one.no):
        if branch.inside_no == inside:
            forks.setdefault(branch.fork_no, []).append(branch)
    for branches in forks.values():
        lanes = tuple(Lane(one, line(flow, one.no, above | {inside})) for one in branches)
        fork = Fork(branches[0].kind, lanes)
        found.append((min((node.seq for node in nodes_of((fork,))), default=_LAST), fork))
    return tuple(item for _, item in sorted(found, key=lambda pair: pair[0]))


def nodes_of(items: Sequence[Item]) -> Iterator[ApprovalNode]:
    """All nodes of a line, those of its forks too."""
    for item in items:
        if isinstance(item, Fork):
            for lane in item.lanes:
                yield from nodes_of(lane.items)
        else:
            yield item


def words(items: Sequence[Item]) -> str:
    """A line in one line of text: 甲 → （乙 与 丙） → 丁."""
    told = []
    for item in items:
        if isinstance(item, Fork):
            joint = " 或 " if item.kind is BranchKind.CONDITION else " 与 "
            told.append(f"（{joint.join(words(lane.items) or '直接通过' for lane in item.lanes)}）")
        else:
            told.append(item.name)
    return " → ".join(told)


def _above(flow: ApprovalFlow, branch_no: int | None) -> list[ApprovalBranch]:
    """The branches in which something stands, the innermost first; ends where they go round in a circle."""
    by_no = {one.no: one for one in flow.branches}
    found: dict[int, ApprovalBranch] = {}
    while branch_no is not None and branch_no in by_no and branch_no not in found:
        found[branch_no] = by_no[branch_no]
        branch_no = found[branch_no].inside_no
    return [*found.values()]


def precedes(flow: ApprovalFlow, first: ApprovalNode, then: ApprovalNode) -> bool:
    """Whether a node must have passed before another is asked: not so beside each other on branches of one fork."""
    if first.seq >= then.seq:
        return False
    lanes = {one.fork_no: one.no for one in _above(flow, first.branch_no)}
    return all(lanes.get(one.fork_no, one.no) == one.no for one in _above(flow, then.branch_no))


def after(flow: ApprovalFlow, node: ApprovalNode) -> set[int]:
    """The `seq` of a node and of all that hang on it."""
    return {node.seq, *(one.seq for one in flow.nodes if precedes(flow, node, one))}


def due(
    items: Sequence[Item], asked: Collection[int], passed: Collection[int], taken: Collection[int]
) -> list[ApprovalNode]:
    """The nodes whose turn it is: of a line the first that has not passed, of a fork one on each branch taken.

    `asked` are the nodes that ask anybody at all, `taken` the branches.
    """
    for item in items:
        if isinstance(item, Fork):
            lanes = [lane for lane in item.lanes if lane.branch.no in taken]
            found = [node for lane in lanes for node in due(lane.items, asked, passed, taken)]
            if found:
                return found
        elif item.seq in asked and item.seq not in passed:
            return [item]
    return []


def is_parallel(flow: ApprovalFlow, node: ApprovalNode) -> bool:
    """Whether other nodes may be asked at the same time."""
    return any(one.kind is BranchKind.PARALLEL for one in _above(flow, node.branch_no))


# ------------------------------------------------------------------------------------------------------------ defects
def defects(flow: ApprovalFlow) -> list[Defect]:
    """All that keeps a flow from being a graph that every submission gets through."""
    known = {one.no for one in flow.branches}
    found = [
        Defect(f"所在分支 {node.branch_no} 不存在", seq=node.seq)
        for node in flow.nodes
        if node.branch_no is not None and node.branch_no not in known
    ]
    found += [
        Defect(f"所在分支 {one.inside_no} 不存在", branch_no=one.no)
        for one in flow.branches
        if one.inside_no is not None and one.inside_no not in known
    ]
    for one in flow.branches:
        above = _above(flow, one.no)
        if above[-1].inside_no in {other.no for other in above}:
            found.append(Defect("分支互相包含，走不到", branch_no=one.no))
        elif len(above) > DEPTH_MAX:
            found.append(Defect(f"分支套分支最多 {DEPTH_MAX} 层", branch_no=one.no))
    return found or [*_of_forks(flow), *_of_nodes(flow)]


def _of_forks(flow: ApprovalFlow) -> Iterator[Defect]:
    groups: dict[int, list[ApprovalBranch]] = {}
    for one in sorted(flow.branches, key=lambda one: one.no):
        groups.setdefault(one.fork_no, []).append(one)
    for branches in groups.values():
        first = branches[0]
        if len({(one.kind, one.inside_no) for one in branches}) > 1:
            yield Defect("同一组的分支方式和所在分支必须相同", branch_no=first.no)
            continue
        if len(branches) < 2:
            yield Defect("一组至少有两个分支", branch_no=first.no)
        yield from _of_fork(flow, branches)


def _of_fork(flow: ApprovalFlow, branches: Sequence[ApprovalBranch]) -> Iterator[Defect]:
    first, last = branches[0], branches[-1]
    lanes = {one.no: [*nodes_of(line(flow, one.no))] for one in branches}
    if first.kind is BranchKind.PARALLEL:
        yield from (
            Defect("并行分支上没有节点", branch_no=no) for no, nodes in lanes.items() if not nodes
        )
    else:
        yield from (
            Defect(
                "条件分支必须填写进入条件；只有最后一个分支可以留空，作为其余情况", branch_no=one.no
            )
            for one in branches[:-1]
            if not one.condition
        )
        if last.condition:
            yield Defect(
                "最后一个条件分支的进入条件必须留空，否则其余情况无路可走", branch_no=last.no
            )
        if not any(lanes.values()):
            yield Defect("这一组分支上没有节点", branch_no=first.no)
    mine = {node.seq for nodes in lanes.values() for node in nodes}
    between = [
        n for n in flow.nodes if mine and min(mine) < n.seq < max(mine) and n.seq not in mine
    ]
    # nodes of a fork around this one stand apart from it as well
    yield from (
        Defect("夹在一组分支的节点中间：应在分开之前或汇合之后", seq=n.seq) for n in between
    )
    spans = [[node.seq for node in nodes] for nodes in lanes.values() if nodes]
    for before, following in pairwise(spans):
        if max(before) > min(following):
            yield Defect("各分支的节点应按分支号依次排列", seq=min(following))


def _of_nodes(flow: ApprovalFlow) -> Iterator[Defect]:
    for node in flow.nodes:
        if node.approve_limit is not None and is_parallel(flow, node):
            yield Defect(
                "并行分支内的节点不能设审批限额：还有别的分支要等，终审在汇合之后", seq=node.seq
            )
