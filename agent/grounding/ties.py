"""Which name or period a figure belongs to.

Clauses carry the ties: a figure belongs to the name in its own clause (after it before "for", "in" or
"of", else the nearest), in brackets to what stands before them, in two lists of one length to its place
in the other. A clause without a name takes it from the clauses before.
"""

from __future__ import annotations

from storewise.agent.grounding.clauses import Mention, Reading, refers

_LINKS = frozenset("for in of from by on at to with is was : came goes belongs".split())
_BETWEEN_ITEMS = frozenset(
    ", and & or / with at around about roughly against versus vs to than compared".split()
)


def tie(
    reading: Reading,
    figure: Mention,
    figures: list[Mention],
    mentions: list[Mention],
    pairs: dict[int, Mention],
) -> tuple[list[Mention], list[Mention]]:
    """Return the mentions that a figure is tied to: in its clause (hard), or in another one (soft)."""
    if not mentions:
        return [], []
    if figure.start in pairs:
        return [pairs[figure.start]], []
    here = [mention for mention in mentions if mention.clause == figure.clause]
    clause = reading.clauses[figure.clause]
    if here:
        words = {token.norm for token in reading.sentence.tokens[clause.start : clause.end]}
        run = run_of(mentions, here[0], reading)
        if words & {"both", "each", "all"} and len(run) > 1 and run[0].start < figure.start:
            return [], run
        return [_nearest(reading, figure, here)], []
    if clause.opener == ":" and figure.clause and not clause.aside:
        named = [mention for mention in mentions if mention.clause == figure.clause - 1]
        if named:
            return [], [named[-1]]  # "23 Nov: $11,495"
    after = reading.clauses[figure.clause + 1 : figure.clause + 3]
    if len(after) == 2 and after[0].aside and after[1].opener == ")" and not clause.aside:
        told = [one for one in mentions if one.what == "sentiment" and one.clause == figure.clause + 2]
        if told and told[0].start <= after[1].start + 1:
            return [told[0]], []
    if clause.aside and figure.clause + 1 < len(reading.clauses):
        follow = reading.clauses[figure.clause + 1]
        told = [one for one in mentions if one.what == "sentiment" and one.clause == figure.clause + 1]
        if follow.opener == ")" and told and told[0].start <= follow.start + 1:
            return [told[0]], []  # "one in ten (10.9 %) negative"
    if clause.aside and figure.clause:
        ahead = [mention for mention in mentions if mention.clause == figure.clause - 1]
        if ahead:
            return [ahead[-1]], []
    behind = [mention for mention in mentions if mention.clause == figure.clause + 1]
    if figure.clause + 1 < len(reading.clauses) and behind:
        following = reading.clauses[figure.clause + 1]
        if (
            following.aside
            and not any(other.clause == figure.clause + 1 for other in figures)
            and not clause.aside
        ):
            return [behind[0]], []
    if refers(clause) and figures.index(figure):
        # "900 has more (609 versus 157)": the second figure is the other one's.
        first = tie(reading, figures[figures.index(figure) - 1], figures, mentions, pairs)
        mine = frozenset(name for one in (*first[0], *first[1]) for name in one.names)
        rest = [one for one in mentions if one.names and not one.names & mine]
        if mine and len({one.names for one in rest}) == 1:
            return [], rest[:1]
    for main_only in (True, False):
        earlier = [
            mention
            for mention in mentions
            if mention.clause < figure.clause and not (main_only and refers(reading.clauses[mention.clause]))
        ]
        if main_only and clause.opener in ("", ",") and not clause.aside:
            outside = [mention for mention in earlier if not reading.clauses[mention.clause].aside]
            earlier = outside or earlier
        if earlier:
            return [], run_of(mentions, earlier[-1], reading)
    later = [mention for mention in mentions if mention.clause > figure.clause]
    free = [mention for mention in later if not _owned(reading, mention, figure, figures)]
    return [], free[:1]


def _nearest(reading: Reading, figure: Mention, here: list[Mention]) -> Mention:
    """Return the mention in a figure's clause that it belongs to."""
    words = reading.sentence.tokens
    for mention in here:
        if mention.start >= figure.end:
            between = [word.norm for word in words[figure.end : mention.start]]
            linked = any(word in _LINKS for word in between) and len(between) <= 6
            others = any(
                other.kind == "number" and figure.end <= other.start < mention.start
                for other in reading.mentions
            )
            if linked and not others:
                return mention
            break
    ahead = [mention for mention in here if mention.end <= figure.start]
    starts = {one.start for one in reading.mentions if one.kind in ("measure", "number", "name")}
    # "May came close to July's record with 12,438": July only says whose record.
    free = [one for one in ahead if not words[one.end - 1].owner or one.end in starts]
    return (free or ahead or here)[-1 if ahead else 0]


def _owned(reading: Reading, mention: Mention, figure: Mention, figures: list[Mention]) -> bool:
    """Whether a later mention has a figure of the same kind, in its clause or in brackets after it."""
    last = [one for one in reading.of(mention.kind) if one.clause == mention.clause][-1]
    for other in figures:
        if other is figure or other.number is None or figure.number is None:
            continue
        if other.number.kind != figure.number.kind:
            continue
        aside = other.clause == mention.clause + 1 and reading.clauses[other.clause].aside
        if other.clause == mention.clause or (aside and last is mention):
            return True
    return False


def run_of(mentions: list[Mention], one: Mention, reading: Reading) -> list[Mention]:
    """Return the list of mentions ("900, 1228 and 13") that `one` stands in."""
    at = mentions.index(one)
    first = last = at
    while first and _joined(reading, mentions[first - 1], mentions[first]):
        first -= 1
    while last + 1 < len(mentions) and _joined(reading, mentions[last], mentions[last + 1]):
        last += 1
    return mentions[first : last + 1]


def _joined(reading: Reading, one: Mention, other: Mention) -> bool:
    """Whether only commas, "and" and brackets stand between two mentions."""
    between = []
    depth = 0
    for token in reading.sentence.tokens[one.end : other.start]:
        depth += token.text in "(["
        if not depth:
            between.append(token)
        depth -= token.text in ")]"
    if any(token.norm == "instead" for token in between):
        between = [token for token in between if token.norm not in ("instead", "of")]
        return not between
    return 0 < len(between) <= 4 and all(word.norm in _BETWEEN_ITEMS or word.text == "$" for word in between)


def paired(reading: Reading, figures: list[Mention], mentions: list[Mention]) -> dict[int, Mention]:
    """Pair two lists of one length, names and figures, by place ("900 and 13 are at 2 % and 8 %")."""
    if len(mentions) < 2:
        return {}
    pairs: dict[int, Mention] = {}
    for kind in ("percent", "money", "number"):
        same = [figure for figure in figures if figure.number and figure.number.kind == kind]
        taken: set[int] = set()
        for figure in same:
            if figure.start in taken:
                continue
            run = run_of(same, figure, reading)
            taken |= {one.start for one in run}
            if len(run) < 2:
                continue
            groups: list[list[Mention]] = []
            for mention in mentions:
                if not any(mention in group for group in groups):
                    groups.append(run_of(mentions, mention, reading))
            before = [group for group in groups if group[-1].end <= run[0].start]
            behind = [group for group in groups if group[0].start >= run[-1].end]
            ahead_all = [mention for group in before for mention in group]
            inside = [m for m in mentions if run[0].start < m.start < run[-1].start]
            if inside:
                continue
            for group in [*reversed(before), *behind]:
                if len(group) == len(run):
                    pairs.update({one.start: mention for one, mention in zip(run, group, strict=True)})
                    break
            else:
                if len(ahead_all) == len(run) and len(same) == len(run):
                    pairs.update({one.start: mention for one, mention in zip(run, ahead_all, strict=True)})
    return pairs
