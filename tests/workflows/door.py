"""The door for tests: a try as the product makes it, in its three steps."""

from dataclasses import replace

from workflows.system import sign_in


def enter(ctx, name, password, address="10.0.0.8", devices=(), **more):
    """Look, compare, settle: what the person gets, None for a refusal."""
    tried = sign_in.Try(name, address, tuple(devices), **more)
    at = replace(ctx, actor=replace(ctx.actor, ip=address))
    seen = sign_in.look(at, tried)
    return sign_in.settle(at, tried, seen, right=sign_in.is_right(seen, password))
