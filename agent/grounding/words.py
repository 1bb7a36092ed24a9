"""The words that the grounding check knows: measures, units, directions, ranks, levels, numbers.

All words are lower case and singular, as `tokens.singular` leaves them.
"""

from __future__ import annotations

from storewise.agent.grounding.tokens import singular


def _set(text: str) -> frozenset[str]:
    return frozenset(singular(word) for word in text.split())


def _phrases(groups: dict[str, str]) -> dict[tuple[str, ...], frozenset[str]]:
    """Return phrase (as norms) -> what it may mean; phrases are separated by commas."""
    found: dict[tuple[str, ...], frozenset[str]] = {}
    for meaning, texts in groups.items():
        for text in texts.split(","):
            phrase = tuple(singular(word) for word in text.split())
            found[phrase] = found.get(phrase, frozenset()) | {meaning}
    return found


# What a figure measures, and the words that people use for it. A phrase may stand for several.
MEASURES = _phrases(
    {
        "revenue": "revenue,sales,sale,takings,turnover,income,brought in,bring in,brings in,bringing in,took in,"
        "take in,took,earned,earns,earn,earning,made,makes,came in,grossed,money,dollar sales,sold,proceeds,worth,"
        "sells,brought,contributed,contributes,generated,generates,rang up",
        "spend": "valuable,spend,spent,spends,spending,total spend,lifetime spend,money spent,worth,expenditure",
        "average_order_value": "average order value,smallest basket,biggest basket,largest basket,"
        "bigger basket,smaller basket,big basket,small basket,basket,average basket value,average basket size,"
        "average basket,"
        "average ticket,average order,avg ticket,avg order value,avg basket,per order,per basket,per visit,per trip,"
        "per purchase,each order,at a time,each time,basket size,basket value,order value,order size,typical order,"
        "typical basket,ticket size,revenue per order,spend per order,spent per order,spends per order,"
        "spend per visit,every order,mean order value,an order,a visit,a basket,aov,on average,average spend,"
        "average spend per order,average amount,average purchase,average transaction,average sale",
        "units": "unit,units sold,quantity,volume,sold,sells,piece,item,sold units",
        "orders": "frequent,often,order,ordered,purchase,transaction,basket,visit,trip,times,time",
        "customers": "customer,shopper,household,buyer,people,client,bought by,consumer",
        "risk": "risk,probability,chance,likelihood,churn,odds,likely,churn risk,risk of abandonment,riskier,"
        "riskiest,likelier,likeliest,churn probability,at risk,safer,safest,safe,risky,danger,abandonment,endangered",
        "alive": "chance still a customer,still a customer,still being a customer,remain a customer,remains a customer,"
        "is alive,still alive,still active,still be a customer,still our customer,still customers",
        "share": "share,of the total,of all,accounts for,account for,accounted for,accounting for,proportion,portion,"
        "of total,makes up,made up,share of,remaining,rest,contributes,slice",
        "recency": "days since last order,days since the last order,since last order,since the last order,"
        "last order,last purchase,last visit,days ago,day ago,silent,inactive,since their last order,"
        "days since their last order,since their last purchase,haven't ordered,hasn't ordered,not ordered,"
        "no order for,no order in,recency,without an order,without ordering,haven't bought,hasn't bought,idle,"
        "gone quiet,been quiet,haven't shopped,hasn't shopped,dormant,last ordered,last seen,haven't been,"
        "hasn't been,been away,absent,days since,haven't placed,hasn't placed,placed no order,not placed",
        "gap": "usual days between orders,days between orders,between orders,usual gap,usual rhythm,rhythm,usually,"
        "every,typically,gap,normally,between purchases,between visits,interval,cadence,apart",
        "horizon": "next,coming,within,horizon,upcoming,following",
        "value": "valuable,cart value,value,worth,basket value,order worth,worth together",
        "score": "score,scored,scores",
        "similarity": "similarity,nearness,similar",
        "confidence": "confidence",
        "support": "support",
        "lift": "lift",
        "price": "price,priced,list price,costs,unit price,sells for",
        "profit": "profit,profits,net profit,gross profit,profitability,earnings",
        "margin": "margin,gross margin,profit margin",
        "cost": "cost,expense",
        "discount": "discount,coupon,rebate,voucher,off",
        "conversion": "conversion,conversion rate,converted",
        "loss": "loss,losses",
        "refund": "refund,refunds,returned,return rate",
        "lifetime_value": "lifetime value,customer value,ltv,clv,customer lifetime value",
        "positive": "positive,praise,praised,praising,like,love,loved,liked,favorable,favourable,praises,loves,"
        "enjoy,enjoyed,applaud,applauded,appreciate,appreciated,happy with,share positive,compliment,"
        "complimented,pleased with",
        "negative": "negative,blame,blamed,complain,complained,complaint,hate,hated,criticise,criticize,"
        "criticised,criticized,dislike,disliked,moan,moaned,complaining,share negative,unhappy with,unfavourable,"
        "unfavorable,grumble,complaints about,gripe,annoyed by,annoyed with,criticism",
        "mentions": "mention,mentioned",
        "reviews": "review,reviewer,opinion,comment",
        "rating": "rating,star,rated",
        "sessions": "session,cart,visitor,open cart",
        "change": "change,growth,growth rate",
        "quality": "auc,accuracy,precision,recall,hit rate,quality",
        "age": "age,old,aged",
        "rank": "rank",
    }
)
# Measures whose figures can be of this kind; a measure that is not listed may be any.
KINDS: dict[str, frozenset[str]] = {
    name: frozenset(kinds.split())
    for kinds, names in {
        "money": "revenue spend average_order_value value price profit cost lifetime_value loss refund",
        "percent": "risk alive share change conversion confidence quality",
        "percent number": "positive negative support margin",
        "percent money": "discount",
        "number": "units orders customers recency gap horizon mentions reviews sessions score similarity lift "
        "rating age",
    }.items()
    for name in names.split()
}
KINDS["revenue"] = KINDS["spend"] = frozenset({"money", "number"})
KINDS["risk"] = frozenset({"percent", "number"})
# Measures that may stand for one another.
ALIKE: tuple[frozenset[str], ...] = (
    frozenset({"revenue", "spend"}),
    frozenset({"units", "products"}),
    frozenset({"orders", "times"}),
    frozenset({"sessions", "orders"}),
    frozenset({"value", "revenue_of_cart"}),
    frozenset({"reviews", "mentions"}),
    frozenset({"score", "rating"}),
    frozenset({"age", "years"}),
)

# What a count counts. Nouns of one meaning share a name with the measure.
UNITS: dict[str, str] = {
    singular(word): unit
    for unit, words in {
        "customers": "customer shopper household buyer client people person folk folks consumer account member regular",
        "orders": "order purchase transaction trip visit basket ticket receipt",
        "units": "unit piece item",
        "products": "product article offer recommendation suggestion pick",
        "categories": "category department",
        "brands": "brand",
        "segments": "segment group",
        "sessions": "session cart visitor trolley",
        "reviews": "review reviewer comment opinion quote",
        "mentions": "mention",
        "times": "time",
        "days": "day",
        "weeks": "week",
        "months": "month",
        "quarters": "quarter",
        "years": "year",
        "hours": "hour",
        "minutes": "minute",
        "seconds": "second",
        "aspects": "aspect topic theme subject",
        "stars": "star",
        "points": "point",
        "reasons": "reason",
        "rows": "row entry name result option one",
    }.items()
    for word in words.split()
}
DURATIONS = frozenset({"days", "weeks", "months", "quarters", "years", "hours", "minutes", "seconds"})
# Nouns that an id may follow, with the kind of thing it then names.
ID_NOUNS: dict[str, str] = {
    "customer": "customer",
    "household": "customer",
    "shopper": "customer",
    "client": "customer",
    "session": "session",
    "cart": "session",
    "review": "review",
    "product": "product",
    "order": "order",
    "account": "customer",
    "visitor": "session",
    "id": "",
    "number": "",
    "#": "",
    "no": "",
    "buyer": "customer",
    "member": "customer",
}

UP = _set(
    "rise rises rose risen rising increase increased increases increasing grow grows grew grown growing growth climb "
    "climbed climbs climbing gain gained gains jump jumped jumps soar soared surge surged improve improved improves "
    "rebounded rebound recovered recover recovering recovers bounced bounce upward uptick upturn expanded swelled"
)
DOWN = _set(
    "fall falls fell fallen falling drop dropped drops dropping decrease decreased decreases decreasing decline "
    "declined declines declining shrink shrank shrunk shrinks slip slipped slips slide slid dip dipped dips sink "
    "sank sunk slump slumped plunge plunged tumble tumbled weaken weakened dwindled dwindle downward downturn "
    "reduced reduction worsened plummeted eased"
)
MORE = _set("more higher greater larger bigger above better oftener stronger busier")
LESS = _set("less lower fewer smaller below worse weaker rarer quieter slower")
# Comparatives and superlatives with the measure that they are about, where they are about one.
COMPARATIVE: dict[str, tuple[int, str | None]] = {
    **{word: (1, None) for word in MORE},
    **{word: (-1, None) for word in LESS},
    "riskier": (1, "risk"),
    "likelier": (1, "risk"),
    "safer": (-1, "risk"),
    "cheaper": (-1, "price"),
    "dearer": (1, "price"),
    "outsold": (1, "units"),
    "outsell": (1, "units"),
    "beat": (1, None),
    "beats": (1, None),
    "exceeded": (1, None),
    "exceed": (1, None),
    "outperformed": (1, None),
    "topped": (1, None),
    "trail": (-1, None),
    "trailed": (-1, None),
    "ahead": (1, None),
    "behind": (-1, None),
    "surpassed": (1, None),
    "outspent": (1, "spend"),
    "outspend": (1, "spend"),
}
SUPERLATIVE: dict[str, tuple[int, str | None]] = {
    **{
        word: (1, None)
        for word in "highest most largest biggest greatest top maximum peak peaked strongest best leading lead "
        "led topped leader busiest max tops winner".split()
    },
    **{
        word: (-1, None)
        for word in "lowest least smallest fewest weakest worst slowest minimum bottom poorest quietest min".split()
    },
    **{word: (1, "place") for word in ("clearest", "nearest", "closest")},
    "trough": (-1, None),
    "bottomed": (-1, None),
    "riskiest": (1, "risk"),
    "likeliest": (1, "risk"),
    "safest": (-1, "risk"),
    "cheapest": (-1, "price"),
    "dearest": (1, "price"),
}
ORDINALS = {
    word: at
    for at, word in enumerate(
        "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split(), start=1
    )
}
NEGATIONS = frozenset(
    "not no never isn't aren't wasn't weren't doesn't didn't don't hasn't haven't won't can't cannot nor neither "
    "without hardly couldn't wouldn't shouldn't".split()
)
# Statements about how likely a person is to leave, or a cart to be left.
LEAVE = _set(
    "leave leaves leaving churn churning stop stops stopping quit lapse lapsing lose losing lost abandon abandoned "
    "abandoning defect go gone walk slip drift left away abandonment"
)
STAY = _set(
    "stay stays staying return returning remain completed complete pay paying finish loyal keep buying check"
)
LEVELS: dict[str, str] = {
    "low": "low",
    "medium": "medium",
    "high": "high",
    "moderate": "medium",
    "small": "low",
    "slim": "low",
    "middling": "medium",
    "elevated": "high",
    "severe": "high",
    "minimal": "low",
    "negligible": "low",
    "tiny": "low",
    "serious": "high",
    "considerable": "high",
    "substantial": "high",
}
SEGMENTS = ("champions", "loyal", "promising", "new", "needs attention", "at risk", "hibernating", "lost")
HEDGES = frozenset(
    "about around roughly approximately some approx ~ circa ca nearly almost close near say roughly c".split()
)
OVER = frozenset("over above exceeding past".split())
UNDER = frozenset("under below nearly almost".split())

ONES = {
    word: at
    for at, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen".split()
    )
}
TENS = {
    word: 10 * at
    for at, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), start=2)
}
SCALES = {"hundred": 100, "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}
SUFFIXES = {"k": 1_000, "m": 1_000_000, "mn": 1_000_000, "b": 1_000_000_000, "bn": 1_000_000_000}
FRACTIONS = {
    "half": 1 / 2,
    "third": 1 / 3,
    "quarter": 1 / 4,
    "fifth": 1 / 5,
    "tenth": 1 / 10,
    "fourth": 1 / 4,
}
RATIOS = {
    "twice": 2,
    "double": 2,
    "doubled": 2,
    "triple": 3,
    "tripled": 3,
    "thrice": 3,
    "halved": 0.5,
    "halve": 0.5,
}
CURRENCIES = frozenset({"$", "€", "£", "usd", "eur", "dollar", "buck", "euro", "pound"})
