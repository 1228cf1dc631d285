"""What can happen next: every step of a runner, of the network and of third parties.

A step is a sentence and the world after it. Nothing here waits for anything: a lease expires
whenever somebody wants it to, and a runner that is never chosen again has crashed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from backout.core.ledger.records import State
from tests.protocol.world import At, Patch, Record, Runner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.protocol.world import Bounds, Rules, World

Step: TypeAlias = "tuple[str, World]"


def steps(world: World, rules: Rules, bounds: Bounds) -> Iterator[Step]:
    """Yield every step that is possible in this world."""
    yield from third_party(world, bounds)
    yield from network(world, rules)
    for runner in world.runners:
        if runner.at is At.GONE and runner.number < bounds.runs:
            again = Runner(runner.name, bounds.retries, number=runner.number + 1)
            yield f"{runner.name} is run again", world.after(again)
        if runner.at is not At.GONE:
            yield f"{runner.name} crashes", world.after(runner.ends())
            yield from STEPS[runner.at](world, runner, rules, bounds)


def third_party(world: World, bounds: Bounds) -> Iterator[Step]:
    if world.foreign:
        left = world.foreign - 1
        if bounds.bare:
            wiped, undone = world.workload.wiped(), world.workload.undone()
            yield (
                "somebody wipes the marker alone",
                world._replace(workload=wiped, foreign=left),
            )
            yield (
                "somebody undoes it with kubectl, which leaves the marker",
                world._replace(workload=undone, foreign=left),
            )
        touched, rewritten = world.workload.touched(), world.workload.rewritten()
        yield "somebody writes the status", world._replace(workload=touched, foreign=left)
        yield (
            "somebody rewrites the workload and wipes the marker",
            world._replace(workload=rewritten, foreign=left),
        )


def network(world: World, rules: Rules) -> Iterator[Step]:
    """Deliver a PATCH that is under way, now; its answer may be lost."""
    for patch in world.in_flight:
        if patch.heals:
            yield from _second_write(world, patch)
            continue
        lands = patch.version == world.workload.version
        name = patch.op[0]
        told = f"the PATCH of {name} " + ("lands" if lands else "meets 409")
        then = world._replace(
            workload=world.workload.patched(patch) if lands else world.workload,
            in_flight=tuple(p for p in world.in_flight if p is not patch),
        )
        sender = next((r for r in world.runners if r.at is At.WAIT and r.op == patch.op), None)
        if sender is None:
            yield f"{told}, and nobody hears of it", then
        else:
            yield told, then.after(_answered(sender, rules, lands=lands))
            yield f"{told}, and its answer is lost", then.after(_unanswered(sender))


def _second_write(world: World, patch: Patch) -> Iterator[Step]:
    lands = patch.version == world.workload.version
    told = f"the second write of {patch.op[0]} " + ("lands" if lands else "meets 409")
    then = world._replace(
        workload=world.workload.healed(patch) if lands else world.workload,
        in_flight=tuple(p for p in world.in_flight if p is not patch),
    )
    sender = next((r for r in world.runners if r.at is At.HEALING and r.settles == patch.op), None)
    if sender is None:
        yield f"{told}, and nobody hears of it", then
        return
    if lands:
        yield told, then.after(_finishes(sender, owes=False))
    elif sender.retries:
        yield told, then.after(sender.goes(At.HEAL, retries=sender.retries - 1, version=0))
    else:
        yield told, then.after(_finishes(sender, owes=True))
    yield f"{told}, and its answer is lost", then.after(sender.goes(At.LOOK_AGAIN, version=0))


def _finishes(runner: Runner, *, owes: bool) -> Runner:
    return runner.goes(At.FINISH, owes=owes, retries=0, version=0)


def _answered(runner: Runner, rules: Rules, *, lands: bool) -> Runner:
    if lands:
        return _found(runner, State.APPLIED)
    if not runner.retries:
        return _found(runner, State.NOT_APPLIED)
    again = _attempts(runner, rules) if rules.recheck else At.READ
    return runner.goes(again, retries=runner.retries - 1, version=0, has_tried=True)


def _unanswered(runner: Runner) -> Runner:
    return runner.goes(At.FIND_OUT)


def _found(runner: Runner, state: State) -> Runner:
    """Return the runner when it is certain of its own operation."""
    return runner.goes(At.WRITE, version=0, settles=runner.op, found=state)


def plan(world: World, me: Runner, _rules: Rules, bounds: Bounds) -> Iterator[Step]:
    """Read the workload (D1) and the Lease, in any order, or not the Lease.

    The intent will be made for this generation, and the first attempt for this version.
    """
    yield f"{me.name} reads the workload", world.after(_planned(world, me, At.SEE))
    seen = me.goes(At.LATE, seen=world.lease.version)
    yield f"{me.name} reads the Lease first", world.after(seen)
    if bounds.failing and not me.is_blind:
        yield f"{me.name} cannot read the Lease", world.after(me.goes(At.PLAN, is_blind=True))


def late(world: World, me: Runner, _rules: Rules, _bounds: Bounds) -> Iterator[Step]:
    yield f"{me.name} reads the workload", world.after(_planned(world, me, At.TAKE))


def _planned(world: World, me: Runner, at: At) -> Runner:
    workload = world.workload
    return me.goes(
        at, generation=workload.generation, version=workload.version, target=workload.back + 1
    )


def see(world: World, me: Runner, _rules: Rules, _bounds: Bounds) -> Iterator[Step]:
    yield f"{me.name} reads the Lease", world.after(me.goes(At.TAKE, seen=world.lease.version))


def take(world: World, me: Runner, rules: Rules, bounds: Bounds) -> Iterator[Step]:
    """Compare and swap: recover what is left open, or be refused, or write the intent.

    Whoever holds the Lease is not asked: it may have expired.
    """
    lease, epoch = world.lease, world.lease.epoch + 1
    left = lease.left_open()
    if lease.version != me.seen:
        yield f"{me.name} loses the compare-and-swap", world.after(me.goes(At.SEE, seen=0))
    elif rules.back and (here := _led_here(world, me)) is not None:
        yield from _once(world, me, here, bounds)
    elif left is not None:
        at = At.FENCE if rules.fence else At.LOOK
        over = me.goes(at, seen=0, generation=0, version=0, epoch=epoch, settles=left.op)
        if left.state is State.APPLIED:
            over = over.goes(At.WRITE, found=State.APPLIED)
        words = f"{me.name} takes the Lease over to settle {left.op} (epoch {epoch})"
        yield words, world.after(over, lease=lease.taken(me.op))
    elif lease.counted() >= bounds.limit and (rules.judged or not me.is_blind):
        yield f"{me.name} finds the breaker open", world.after(me.ends())
    else:
        intent = Record(me.op, State.INTENT, me.generation, me.target, owes=bounds.heals)
        acts = me.goes(At.SEND, seen=0, generation=0, epoch=epoch, is_blind=False)
        words = f"{me.name} writes INTENT {me.op} (epoch {epoch})"
        yield words, world.after(acts, lease=lease.taken(me.op, intent))


def _led_here(world: World, me: Runner) -> Record | None:
    """Return the newest record that landed, if it went to where the workload was read to be."""
    landed = (State.APPLIED, State.SUCCEEDED, State.UNDECIDED, State.FAILED)
    there = [r for r in world.lease.records if r.state in landed]
    return there[-1] if there and there[-1].target == me.target - 1 else None


def _once(world: World, me: Runner, here: Record, bounds: Bounds) -> Iterator[Step]:
    """Go on with what was left open, or leave alone what has ended, but for what it still owes."""
    if not here.is_open:
        yield f"{me.name} finds that {here.op} has rolled back", world.after(me.ends())
        if not here.owes:
            return
    epoch, at = world.lease.epoch + 1, At.HEAL if here.owes else At.FINISH
    tries = bounds.retries if here.owes else me.retries
    known = {"seen": 0, "generation": 0, "version": 0, "epoch": epoch, "retries": tries}
    goes_on = me.goes(at, settles=here.op, **known)
    words = f"{me.name} takes the Lease over to go on with {here.op} (epoch {epoch})"
    yield words, world.after(goes_on, lease=world.lease.taken(me.op))


def _attempts(_me: Runner, rules: Rules) -> At:
    """Return where a further attempt begins."""
    return At.READ if rules.order else At.CHECK


def read(world: World, me: Runner, rules: Rules, _bounds: Bounds) -> Iterator[Step]:
    """Read the workload again (D2): its resourceVersion is the PATCH's precondition."""
    intent = world.lease.record(me.op)
    told = f"{me.name} reads the workload again"
    if rules.generation and intent is not None and world.workload.generation != intent.generation:
        stale = _found(me, State.NOT_APPLIED)
        yield f"{told}: it is no longer what was planned for", world.after(stale)
    else:
        is_checked = not rules.order or (me.has_tried and not rules.recheck)
        at = At.SEND if is_checked else At.CHECK
        yield told, world.after(me.goes(at, version=world.workload.version))
    yield from _interruption(world, me)


def check(world: World, me: Runner, rules: Rules, _bounds: Bounds) -> Iterator[Step]:
    """Read the Lease: the record is open, the hold and its epoch are still ours."""
    record = world.lease.record(me.op)
    if me.holds(world.lease) and record is not None and record.state is State.INTENT:
        at = At.SEND if rules.order else At.READ
        yield f"{me.name} finds the Lease its own", world.after(me.goes(at))
    else:
        yield f"{me.name} finds the Lease lost", world.after(me.ends())
    yield from _interruption(world, me)


def send(world: World, me: Runner, _rules: Rules, _bounds: Bounds) -> Iterator[Step]:
    under_way = tuple(sorted((*world.in_flight, Patch(me.op, me.version, me.target))))
    yield f"{me.name} sends the PATCH", world.after(me.goes(At.WAIT), in_flight=under_way)
    yield from _interruption(world, me)


def _interruption(world: World, me: Runner) -> Iterator[Step]:
    """Stop a runner of whose PATCH nothing is under way: it knows that nothing was changed."""
    yield f"{me.name} is interrupted", world.after(_found(me, State.NOT_APPLIED))


def wait(world: World, me: Runner, _rules: Rules, _bounds: Bounds) -> Iterator[Step]:
    if any(p.op == me.op for p in world.in_flight):
        yield f"{me.name} waits no longer for an answer", world.after(_unanswered(me))


def find_out(world: World, me: Runner, rules: Rules, _bounds: Bounds) -> Iterator[Step]:
    """Settle our own operation as a successor would, or leave it to one."""
    if not rules.once:
        under_way = tuple(sorted((*world.in_flight, Patch(me.op, me.version, me.target))))
        again = world.after(me.goes(At.WAIT), in_flight=under_way)
        yield f"{me.name} sends the same PATCH again", again
    if not me.holds(world.lease):
        yield f"{me.name} finds the Lease lost", world.after(me.ends())
        return
    let_go = world.lease._replace(version=world.lease.version + 1, holder="")
    yield f"{me.name} leaves {me.op} open and lets go", world.after(me.ends(), lease=let_go)
    settles = me.goes(At.FENCE if rules.fence else At.LOOK, version=0, settles=me.op)
    yield f"{me.name} finds the Lease its own and settles {me.op}", world.after(settles)


def fence(world: World, me: Runner, _rules: Rules, _bounds: Bounds) -> Iterator[Step]:
    """Move the resourceVersion: what is under way must fail from here on."""
    fenced = world.workload.touched()
    yield f"{me.name} fences the workload", world.after(me.goes(At.LOOK), workload=fenced)


def look(world: World, me: Runner, rules: Rules, _bounds: Bounds) -> Iterator[Step]:
    """Judge by the marker and, where there is none, by the generation."""
    record = world.lease.record(me.settles)
    is_untouched = record is not None and world.workload.generation == record.generation
    if world.workload.marker == me.settles:
        told, state = f"finds the marker of {me.settles}", State.APPLIED
    elif is_untouched or not rules.generation:
        told, state = f"finds no marker of {me.settles}", State.NOT_APPLIED
    else:
        told, state = f"finds no marker of {me.settles}, and another generation", State.UNDECIDED
    yield f"{me.name} {told}", world.after(me.goes(At.WRITE, found=state))


def write(world: World, me: Runner, rules: Rules, bounds: Bounds) -> Iterator[Step]:
    """Write what was found, if the Lease is still ours: our own record, or one that was left.

    Nobody watched what a record left open has brought about: where the workload still is there, it
    stays open, to be gone on with; else it ends UNDECIDED and counts.
    """
    if not me.holds(world.lease):
        yield f"{me.name} finds the Lease lost", world.after(me.ends())
        return
    is_own = me.settles == me.op
    record = world.lease.record(me.settles)
    is_here = rules.back and record is not None and record.target == world.workload.back
    stays = is_own or is_here or me.found is not State.APPLIED
    state = me.found if stays else State.UNDECIDED
    keeps = is_own and state is State.APPLIED
    lease = world.lease.closed(me.settles, state, holder=me.op if keeps else "")
    yield (
        f"{me.name} writes {me.settles} {state}",
        world.after(_next(me, state, bounds), lease=lease),
    )


def _next(me: Runner, state: State, bounds: Bounds) -> Runner:
    """Return the runner after a record was written: on to the watch, to a new plan, or gone."""
    if me.settles != me.op:
        return Runner(me.name, me.retries, number=me.number)
    if state is State.APPLIED:
        if bounds.heals:
            return me.goes(At.HEAL, retries=bounds.retries, has_tried=False, target=0)
        return me.goes(At.FINISH, retries=0, has_tried=False, target=0)
    if state is State.NOT_APPLIED and me.number < bounds.operations:
        return Runner(me.name, bounds.retries, number=me.number + 1)
    return me.ends()


def heal(world: World, me: Runner, rules: Rules, _bounds: Bounds) -> Iterator[Step]:
    """Read the workload, and hand back what the PATCH took under the version that was read."""
    workload = world.workload
    record = world.lease.record(me.settles)
    is_ours = (
        record is not None and workload.marker == me.settles and workload.back == record.target
    )
    if rules.own and not is_ours:
        left = world.after(_finishes(me, owes=False))
        yield f"{me.name} finds the template somebody else's", left
    elif rules.own and not workload.owned:
        yield f"{me.name} finds nothing to hand back", world.after(_finishes(me, owes=False))
    else:
        second = Patch(me.settles, workload.version, heals=True)
        under_way = tuple(sorted((*world.in_flight, second)))
        sent = world.after(me.goes(At.HEALING, version=0), in_flight=under_way)
        yield f"{me.name} sends the second write", sent


def healing(world: World, me: Runner, _rules: Rules, _bounds: Bounds) -> Iterator[Step]:
    if any(p.heals and p.op == me.settles for p in world.in_flight):
        looks = world.after(me.goes(At.LOOK_AGAIN, version=0))
        yield f"{me.name} waits no longer for the second write", looks


def look_again(world: World, me: Runner, _rules: Rules, _bounds: Bounds) -> Iterator[Step]:
    """Read what a second write without an answer did: it is never sent again."""
    owes = world.workload.marker == me.settles and world.workload.owned
    words = "finds the fields not handed back" if owes else "finds nothing left to hand back"
    yield f"{me.name} {words}", world.after(_finishes(me, owes=owes))


def finish(world: World, me: Runner, rules: Rules, _bounds: Bounds) -> Iterator[Step]:
    record = world.lease.record(me.settles)
    if me.holds(world.lease) and record is not None:
        state = State.SUCCEEDED if record.is_open else record.state
        owes = me.owes and rules.kept
        lease = world.lease.closed(me.settles, state, holder="", owes=owes)
        yield f"{me.name} writes {me.settles} {state}", world.after(me.ends(), lease=lease)
    else:
        yield f"{me.name} finds the Lease lost", world.after(me.ends())


STEPS: dict[At, Callable[[World, Runner, Rules, Bounds], Iterator[Step]]] = {
    At.PLAN: plan,
    At.LATE: late,
    At.SEE: see,
    At.TAKE: take,
    At.READ: read,
    At.CHECK: check,
    At.SEND: send,
    At.WAIT: wait,
    At.FIND_OUT: find_out,
    At.FENCE: fence,
    At.LOOK: look,
    At.WRITE: write,
    At.HEAL: heal,
    At.HEALING: healing,
    At.LOOK_AGAIN: look_again,
    At.FINISH: finish,
}
