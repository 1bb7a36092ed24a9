"""Options called by other words: "with a cable" for wired, "in the ear" for in-ear, "half a litre" for 500ml."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from storewise.agent.desk.words import stems_of

_PARTS = {
    "A": r"(?:(?:with|has|having|got|uses?|takes?) (?:an? |the |its )?)",
    "NO": (
        r"(?:(?:with )?no (?:more )?|without (?:an? |the |any |using )?|(?:(?:that|which|ones?|it) do(?:es)?"
        r"(?:n['’]?t| not) (?:have|need|use|take|require|come with)|(?:don['’]?t|do not) (?:want|need)|"
        r"(?:must|should)(?:n['’]?t| not) (?:have|need)) (?:an? |the |any )?)"
    ),
    "ONE": r"(?:one|ones|kind|type|sort|model|version|style)",
    "CABLE": r"(?:cables?|cords?|wires?|leads?)(?! (?:missing|problem|issue|is|was|for|in|inside|included|with|to)\b)",
    "EAR": r"(?:the |my |your |both )?(?:whole |entire )?ears?",
    "SELF": r"(?:all )?(?:by itself|by themselves|on its own|itself|alone)",
    "WET": r"(?:rain|pool|sea|ocean|shower|bath|water|getting wet)",
    "ARM": r"arm ?(?:rest)?s?",
    "WIRELESS": (
        r"wireless(?: (?:one|ones|version|model)|(?= (?:please|instead|vac|vacuum|hoover|cam|camera))|"
        r"(?=\s*(?:[.,;!?]|$)))"
    ),
    "CANT": r"(?:can['’]?t|cannot|can not|don['’]?t|do not|won['’]?t|doesn['’]?t|does not|not) ",
}
# Values (and, after "@", parts of the option's name of which it has one; after " + " there, a value that is beside
# it) with what people say for them. A value goes on in the lines that are indented,
# and another may follow after " ;; ".
_SAID = r"""
wired, corded: <A><CABLE>|cabled|corded|(?:cable|cord) <ONE>|plugs? in(?:to)? (?:my|the) (?:pc|computer)
wireless, cordless: <NO><CABLE>|cordless|cable[- ]?(?:less|free)|wire[- ]?free|bluetooth <ONE>
cordless: <WIRELESS>|battery[- ](?:powered|operated)|runs? on (?:a )?batter(?:y|ies)
battery, batteries @power: <NO>(?:plug|<CABLE>)|cordless|runs? (?:on|off) batter\w+|battery[- ](?:powered|run)
ac adapter, mains @power: mains(?: power(?:ed)?)?|plug(?:s|ged)? in(?:to)? (?:the |a )?(?:wall|socket|mains|outlet)|
  plug[- ]in <ONE>|wall (?:plug|socket|outlet)|power outlet|with a plug
usb @power: (?:powered (?:from|by)|runs? (?:off|from)|plugs? in(?:to)?) (?:my |the |a )?(?:computer|laptop|pc)
rechargeable: (?:<ONE>|something)(?: that| which)? (?:you|i|we) (?:can |could |
  have to )?(?:re)?charge(?: up)?(?! (?:me|my|you|us|the|for))|plugs?[- ]?in to (?:re)?charge|<A>(?:charger|
  charging (?:base|stand|dock))|chargeable|(?:that|which) (?:re)?charges(?: up)?|can be (?:re)?charged(?: up)?|
  built[- ]in battery|<NO>AA(?: batteries)? ;; usb-c: (?:usb[- ]?)?type[- ]?c|usbc|new(?:er)? usb
aa batteries, batteries, battery @battery: AA['’]?s|(?:normal|ordinary|regular|disposable|standard|replaceable|
  throw[- ]?away|changeable|double[- ]a) batter(?:y|ies)|(?:takes?|uses?|runs on|works on|powered by) batteries|
  put batteries in ;; usb-a: (?:usb[- ]?)?type[- ]?a|(?:normal|regular|standard|old|classic|big) usb
wireless @output: (?:lay|put|place) (?:my |the )?phone on (?:it|top)|qi charging|charg\w+ without (?:a )?cables?
ethernet: (?:network|internet|lan|patch|router) cable|lan(?: port)?|rj ?45|plugs? in(?:to)? (?:my |the )?router|
  (?:wired|cabled?) (?:<ONE>|connection|internet|network)|<A><CABLE> ;; google assistant: nest hub|google (?:home|nest)
wi-fi, wifi @connect + ethernet: <NO>(?:network |lan )?<CABLE>|<WIRELESS>|wlan ;; amazon alexa: echo(?: dot| show)?s?
wi-fi + cellular, cellular, lte: mobile (?:data|internet|network)|[345]G(?! ?b)|(?:a |with |has |
  takes a )sim(?:[- ]?card)?|lte|phone network|cell(?:ular)? data|(?:works|internet|use it|online) without wi-?fi
none @connect: <NO>(?:app|wi-?fi|bluetooth|connection|smart (?:stuff|features?))|not (?:a )?smart|(?:ordinary|dumb|
  non-smart) (?:one|bulb) ;; apple homekit: siri|iphones?|ipads?|home ?pods?|ios
bagged @bag: <A>(?:dust |paper |disposable )?bags?|(?:dust |disposable )bag <ONE>|needs? (?:dust )?bags
bagless @bag: <NO>(?:dust )?bags?|bag[- ](?:free|less)|with (?:a|the) (?:dust (?:bin|cup|container|box)|emptying bin)|
  empty (?:a|the) (?:bin|cup|container) ;; none @arm: <NO>(?:any )?<ARM>|arm(?:rest)?[- ]?less
pet hair removal, pet hair: (?:cats?|dogs?|animals?|pets?)(?:['’]s?)?(?:(?: and | or |/| & )(?:cat|dog)s?)? (?:hairs?|
  fur)|fur|for (?:our |my )?pets ;; upright: (?:that|which) stands?(?: up)?|stand(?:s|ing)?[- ]up <ONE>|standing <ONE>
robotic, robot: hands[- ]free|roomba|(?:that|which) (?:runs?|goes|drives?|cleans?|works?|vacuums?|hoovers?|
  moves?) (?:a?round )?<SELF>|self[- ]driving|runs? <SELF>
canister: cylinder(?: vacuum| hoover)?|(?:drag|pull)s? (?:along )?behind|(?:that|which) (?:you|i) (?:drag|pull)
fixed @arm: <ARM> (?:that |which |should |must )*(?:<CANT>(?:be )?(?:move|adjust|change)\w*|stay (?:put|still))|
  (?:solid|rigid|non[- ]?adjustable|unmoving) <ARM>
adjustable @arm: <ARM> (?:that |which |to )?(?:(?:can|could) (?:be )?)?(?:adjust\w*|move[ds]?|raised|lowered|
  go(?:es)? up)|(?:move?able|moving|movable) <ARM>|(?:can |to )?(?:adjust|move|raise|lower) the <ARM>
high-back, high back: (?:tall|long|higher|full)(?:er)? ?-?back(?:rest)?|high[- ]backed|head ?rest|up to my (?:head|
  neck|shoulders) ;; standard @back: (?:normal|regular|ordinary|low|lower|short|shorter)[- ]back(?:rest|ed)?
adjustable @set: chang(?:e|ing) the weights?|weights? (?:(?:can|that) (?:be )?)(?:chang|adjust)\w*|
  dial (?:up )?the weight ;; fixed @set: weights? (?:that )?<CANT>(?:be )?(?:chang|adjust)\w*|non[- ]adjustable
full @zip: (?:zips?|zippers?|opens?|unzips?|goes)(?: (?:up|open))? (?:all the way|completely|fully)(?: (?:down|up|
  to the bottom))?|(?:full|whole|entire)[- ]?length(?: zip\w*)?|(?:whole|entire|complete|long) zip\w*|zip all the way
half @zip: (?:quarter|short|1/4|half)[- ]?zip\w*|zips? (?:only )?(?:half|part)[- ]?way|
  zip(?:per)? (?:goes )?(?:only )?half[- ]?way|pull(?:s|ed)? (?:on )?over (?:the|my) head
men, male, mens, man @gender: for (?:him|gents?|gentlem[ae]n|guys?|blokes?|a (?:man|guy|gentleman))|gents?['’]?|
  gentlem[ae]n['’]?s|masculine|male|mens
women, female, womens, woman @gender: for (?:her(?! \w)|ladies|girls|a (?:lady|woman|girl))|lad(?:y['’]?s|ies['’]?)|
  feminine|female|womens
unisex @gender: either sex|both sexes|any gender|gender[- ]neutral|(?:for )?(?:men and women|women and men|him and her|
  his and hers)|for (?:anyone|anybody|everyone|everybody)
hard cover, hardcover, hardback: hard[- ]?(?:back|cover|bound)(?:ed)?|(?:stiff|rigid|board|firm|hard) covers?
soft cover, softcover, paperback: (?:paper|soft)[- ]?(?:back|cover|bound)|(?:bendy|flexible|floppy) covers?
hardshell, hard shell, hard: hard[- ]?(?:shell|case|sided|sides|plastic|outer|outside)(?:ed|s)?|(?:rigid|
  solid) (?:shell|case|<ONE>)|polycarbonate
softshell, soft shell, soft: soft[- ]?(?:shell|case|sided|sides|fabric|outer|outside)(?:ed|s)?|(?:fabric|
  cloth) (?:case|suitcase|<ONE>)s? ;; capsule, capsules, pods: (?:coffee )?pods?|nespresso|k[- ]cups?|<A>cartridges?
beginner, easy @difficult: (?:easy|simple|starter)[- ](?:one|ones|level|puzzle|jigsaw|version|difficulty)|(?:easiest|
  simplest)(?! (?:way|thing|for|to|would|is))|something (?:easy|simple)|novices?|newb(?:ie|ies)|first[- ]timers?|
  beginner['’]?s|(?:make it|an|level) easy(?! (?:way|thing|to|and))|easy (?:please|difficulty)
intermediate, medium @difficult: (?:middle|mid|medium|moderate|average)[- ](?:one|level|difficulty|hard)|
  moderately (?:hard|difficult|easy|challenging)|not too (?:easy|hard)(?:,| and| but| or| nor)? not too (?:easy|hard)
expert, hard, advanced @difficult: hardest|toughest|trickiest|most (?:difficult|challenging)(?! (?:thing|part|to))|
  the (?:hard|tough|difficult|tricky) (?:one|puzzle)|(?:hard|tough|difficult|challenging|advanced) (?:level|puzzle|
  jigsaw|version)|(?:really|very|properly|super) (?:hard|tough|difficult|challenging)(?= (?:<ONE>|puzzle|jigsaw))|
  (?:want|like|real|proper) (?:a )?challenge|make it (?:hard|tough|difficult)
automatic: one[- ](?:touch|button)|(?:does|do|makes?) (?:it|everything|the coffee|all)(?: all)? <SELF>|(?:push|press|
  touch) (?:of )?(?:a|one|the) button|push[- ]button|fully auto ;; french press: cafeti[eè]re|plunger|press[- ]pot
manual: (?<!wash )(?<!washed )by hand|hand[- ](?:operated|pulled|pump(?:ed)?|press(?:ed)?|lever)|<A>lever|lever <ONE>
auto tilt, automatic tilt, automatic @tilt: tilt(?:s|ing)? (?:<SELF>|automatically)|auto(?:matic(?:ally)?)?[- ]tilt\w*|
  self[- ]tilting ;; drip, filter: filter (?:coffee|machine|<ONE>)|pour[- ]?over
manual tilt, manual @tilt: hand[- ]tilt\w*|tilt(?:s|ed|ing)? (?:it )?(?:by hand|myself|yourself|manually)|by hand|
  manually ;; charcoal @type: coals|with coal|briquettes
auto shutoff, auto shut-off: (?:that|which|to|can|should) (?:turn|switch|shut)(?:s|es)? (?:itself )?off(?: <SELF>)?|
  auto(?:matic(?:ally)?)?[- ](?:shut|switch|turn)(?:s|ing)?[- ]?off
built-in grinder, grinder: grinds? (?:the |its own |my |own |fresh )?(?:coffee )?beans|bean[- ]to[- ]cup|<A>(?:own |
  built[- ]in )?(?:coffee )?(?:mill|grinder) ;; rotisserie: (?:a|the|turning|rotating) spit|turns? the (?:meat|chicken)
timer: (?:delayed?|scheduled?) (?:start|brew\w*)|programmable|set (?:it )?(?:the night before|for the morning)
gas: propane|butane|(?:bottled|camping) gas|gas (?:hob|stove|cooker|burner|bottle|ring)|(?:open|naked) flame
electric @type: plug[- ]in <ONE>|plugs? in(?:to)? (?:the |a )?(?:wall|socket|outlet|mains)|<A>plug
portable: for camping|for (?:picnics?|travel(?:ling|ing)?)|easy to carry(?: around)?|fold(?:able|ing|away) <ONE>|
  take (?:it )?(?:along|with (?:me|us)) ;; linear: smooth (?:keys|switches|keystrokes?|ones?)
side burner: (?:extra|second|additional) (?:burner|ring|hob)|burner (?:on|at) the side ;; 80%: ten[- ]?key[- ]?less|tkl
light, fair @skin: (?:fair|pale|light|lighter)[- ]?(?:skin(?:ned)?|complexion|face)|(?:i['’]?m|i am) (?:very |quite |
  rather |really )?(?:fair|pale)|(?:is|very|quite|rather|really) pale|skin (?:that )?is (?:fair|pale)|pale <ONE>
medium @skin: (?:olive|tanned|mid|middle|medium)[- ](?:skin(?:ned)?|complexion|tone)
dark, deep @skin: (?:deep|deeper|dark|darker|brown|black|ebony)[- ](?:skin(?:ned)?|complexion)
professional, pro @kit: pro (?:kit|set|<ONE>)|for (?:pros|make-?up artists?)|make-?up artist['’]?s?
basic @kit: (?:starter|simple|beginner['’]?s?|entry[- ]level) (?:kit|set|<ONE>) ;; wood, wooden: wooden|made of wood
clicky: (?:loud|noisy|click(?:ing)?) (?:keys|switches|ones?)|(?:that|which) clicks?|clicks? when|
  click(?:ing)? (?:sound|noise) ;; tactile: (?:with a|feel(?:s)? a|small|little|slight) bump
none @backlight: <NO>(?:back)?-?light(?:s|ing)?(?! (?:comes?|turns?|works?|goes|go|is|are|up|on(?! (?:it|them))))|
  unlit|not (?:lit|illuminated)|lightless ;; white @backlight: (?:plain|simple|only|just) (?:white )?lights?
rgb, multicolor: rainbow(?: (?:lights?|lighting|keys|colou?rs?))?|colou?r(?:ed|ful) (?:lights?|lighting|leds?|
  backlight(?:ing)?)|multi-?colou?r(?:ed)?|chang(?:es|ing) colou?rs?|colou?r[- ]chang\w+|lights? in (?:all|many|
  different) colou?rs|disco lights? ;; full size, full-size: <A>(?:number|numeric|num)[- ]?(?:key)?pad
daylight, cool white: (?:cold|cool|bright|bluish|blueish)[- ](?:white|light)
warm white, warm: warm (?:light|glow|tone|colou?r|yellow)|soft white|yellow(?:ish)? (?:light|glow)|co[sz]y (?:light|
  glow) ;; high @bright: brightest|(?:very|really|super|extra|as) bright(?: as (?:possible|it gets))?
low @bright: dimmest|least bright|(?:very|really) dim ;; low @vent: few(?:er|est)? (?:holes|vents)|less air(?:flow)?
high @vent: (?:lots|plenty) of (?:air|vents|holes|airflow|ventilation)|(?:many|more) (?:holes|vents)|
  well[- ]ventilated|airiest|good airflow ;; stainless steel: (?:brushed )?steel|inox|chrome
metal @strap band: (?:steel|link|chain) (?:bracelet|strap|band)|bracelet ;; on-ear: (?:on|on top of|against) <EAR>
silicone: (?:rubber|rubbery|sporty?|sports|soft|gummy) (?:strap|band) ;; rose gold: (?:pink(?:ish)?|rosy) gold(?:en)?
synthetic: (?:fake|faux|vegan|imitation|artificial|synthetic|man-?made|not real) leather|man-?made|pleather|leatherette
mesh: netting|breathable|(?:a )?net back|see[- ]through back ;; navy, navy blue: (?:dark|deep|midnight|marine)[- ]blue
fabric: cloth (?:seat|cover|one|chair)|textile|upholstered
canvas: (?:cloth|fabric) (?:ones?|shoes?|trainers?|sneakers?|upper)
sunbrella: (?:won['’]?t|will not|doesn['’]?t|does not|not|never) fade|fade[- ]?(?:proof|resistant|free)
beige: cream[- ]colou?red|in cream|sand[- ]?colou?red|off[- ]white
space grey, space gray: (?:dark|graphite|apple) gr[ae]y|graphite
mountain: off[- ]?road(?:ing)?|mtb|(?:forest|dirt|woodland|muddy|rough) (?:trails?|paths?|tracks?|terrain|ground)|
  (?:for|on) (?:the )?trails? ;; in-ear: (?:in|inside|into) <EAR>(?! (?:infection|doctor))|ear ?buds? <ONE>
road @type: rac(?:e|ing) (?:bike|bicycle|cycle|<ONE>)|racer|for (?:tarmac|asphalt|the street|streets)|on (?:tarmac|
  asphalt) ;; over-ear: (?:over|around|round) <EAR>|(?:around|round)[- ]ear|(?:covers?|cover up|enclos(?:e|es)) <EAR>
polarized: polari[sz]ed|polari[sz]ing|(?:anti|against|cuts?|reduces?|stops?|blocks?)[- ](?:the )?(?:glare|reflections)
non-polarized: (?:non|un|not)[- ]?polari[sz]ed|(?:no|without) polari[sz]\w+ ;; ionic: ioni[sz](?:er|ing|ation)|ions
analog, analogue: (?:with|has|real|proper) (?:real |moving |proper )?(?:hands|pointers)|ticking
digital: (?:number|numeric|led) display|with digits|shows? (?:the )?(?:digits|numbers)
v-neck: vee[- ]?neck|v[- ]?(?:shaped )?(?:neck(?:line)?|collar) ;; night mode: (?:sleep|bedtime|sleeping)[- ]mode
crew neck: crew[- ]?neck|(?:round|rounded|o|circular)[- ](?:neck(?:line)?|collar)
hydration: water (?:bladder|pouch|reservoir|bag)|drinking (?:tube|system)|camelbak
camera @compartment: photo(?:graphy)? (?:gear|equipment|stuff)|for photography
laptop @compartment: for (?:my |a )?macbook|computer (?:pocket|sleeve|compartment)
carbon: charcoal filter|(?:against|takes?|removes?|gets? rid of) (?:the )?(?:bad )?(?:smells?|odou?rs?)
quiet operation, quiet: silent(?! (?:about|on))|noiseless|quietest|low[- ]noise|hardly (?:any|makes) noise
smart sensors: (?:senses|detects|notices|measures) (?:the |when )?(?:air|dust|dirt|smoke|pollution)\w*|
  with (?:a )?sensors? ;; large @room: (?:big|bigger|huge|spacious) (?:living )?rooms?|open[- ]plan
small @room: (?:little|tiny|box|cramped) ?rooms? ;; fantasy @theme: dragons?|unicorns?|fairies|wizards?
large @size: (?:big|biggest|largest) (?:size|<ONE>)|(?:biggest|largest)(?=\s*(?:[.,;!?]|$)| (?:you|there|available|
  possible)) ;; medium @size: (?:mid|middle)[- ]?sized?(?: <ONE>)?|(?:mid|middle|in[- ]between) (?:size|<ONE>)
small @size: (?:little|tiny|smallest|littlest) (?:size|<ONE>)|smallest(?=\s*(?:[.,;!?]|$)| (?:you|there|available|
  possible)) ;; xxl: 2[- ]?xl|double[- ]xl|(?:double|extra)[- ]extra[- ]large|xx[- ]large ;; oriental: spicy|exotic
plain @design: <NO>(?:picture|print|pattern|graphics?|drawing|artwork|design)s?|blank(?: <ONE>)?|
  nothing (?:printed )?on it|unprinted ;; art @theme: (?:famous |old )?paintings?|van gogh|monet|masterpieces?
graphic: printed <ONE>|patterned|with (?:an? |some )?(?:print|pattern|artwork|(?:picture|drawing)s? on(?: it)?)
custom: (?:my|our) own (?:design|picture|artwork)|personali[sz]ed|customi[sz]ed|made to order ;; amoled, oled: oled
animals @theme: wildlife|with (?:an? )?(?:dogs?|cats?|horses?|lions?|birds?|elephants?) ;; 4k: ultra[- ]?hd|uhd
landscape @theme: scenery|scenic|countryside|nature scenes? ;; 1080p: full[- ]?hd|1080(?! ?p)
woody: (?:cedar|sandal)(?:wood)?|smells? (?:of|like) (?:wood|trees|a forest) ;; cf card: compact ?flash
fresh @scent: citrusy?|lemony|(?:clean|crisp)[- ](?:smell|scent)\w* ;; ipx4: (?:splash|sweat)[- ]?(?:proof|resistant)
ipx7: (?:for |while )?swimming|under ?water|can be submerged ;; no @dimm: <NO>dimm(?:er|ing)
not resistant @water: (?:not|isn['’]?t|aren['’]?t) (?:water|splash)[- ]?(?:proof|resistant|tight)|
  <NO>water[- ]?(?:proofing|resistance|protection)
yes @water: (?:can|could|should|to|must|will) (?:take|handle|stand|survive|withstand|resist) (?:some |a bit of |
  the )*<WET>|keeps? (?:the )?(?:water|rain|wet) out|keeps? out (?:the )?(?:water|rain|wet)|keeps? (?:my )?feet dry|
  (?:can|could) get wet|for (?:the )?(?:rain|swimming|wet weather|pool|shower|diving)|(?:use|wear|take) (?:it |
  them )?(?:in|under|into) (?:the )?<WET>|under ?water|(?:rain|splash|weather)[- ]?proof|water[- ]?(?:tight|repellent)|
  (?:swim|shower|dive) with|(?:can go|goes) (?:in|into|under) (?:the )?<WET>
no @water: (?:can['’]?t|cannot|doesn['’]?t|not) (?:take|handle|stand|get|survive) (?:water|rain|wet)|<NO>waterproofing|
  lets? (?:the )?water in ;; yes @dimm: can (?:be )?(?:dimmed|turned down)|(?:dimmer|dimming)(?: switch)?
"""
# What stands before words that tell what is not wanted; and before words that tell of no want.
_UNWANTED = re.compile(
    r"(?:\b\w+n['’]t|\b(?:not|never|dont|hate|dislike|except|rather than|instead of|tired of|sick of|anything but))\s+"
    r"(?:(?:want|like|need|care|take|get|be|the|an?|ones?|any|it|that|which|kind|type|sort|of|is|to|really|have|"
    r"for|something|with)\s+){0,6}$",
    re.I,
)
_NO_WANT = re.compile(
    r"\b(?:came|comes?|arrived?|delivered|sent|shipped|packed|missing|problems?|issues?|trouble|wrong|bought|got|"
    r"ordered|there (?:is|was|are|were)|there['’]s)\s+(?:it |them |this )?$",
    re.I,
)
# Between two values, the one of them is to go for the other.
_SWAP = re.compile(
    r"\b(?:for|to|into|with|instead of|rather than|in place of) (?:the|an?|ones?|something|that|those|my)\b|"
    r"\b(?:but|and|i)(?: i)?(?: (?:want|need|prefer)|['’]d| would)",
    re.I,
)
_SMALL = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
_NUMBERS = {word: n for n, word in enumerate(f"{_SMALL} eighteen nineteen".split(), 1)}
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_NUMBERS |= {word: n for n, word in zip(range(20, 100, 10), _TENS, strict=True)}
_WORD = "|".join(sorted([*_NUMBERS, "hundred", "thousand"], key=len, reverse=True))
_NOT_OPTIONS = "thank|times|apologies|dollars|bucks|quid|euros|minutes|days|weeks|months|years|people"
_SPELLED = re.compile(
    rf"\b(?:(?:an?|\d{{1,2}}) (?=hundred|thousand))?(?:{_WORD})(?:(?:[\s-]|\s+and\s+)(?:{_WORD}))*\b"
    rf"(?! (?:{_NOT_OPTIONS}))",
    re.I,
)
_FEW = f"(?P<few>{'|'.join(_SMALL.split())})"
_SIZE = re.compile(
    rf"(?P<before>\b(?:sizes?(?: is| are| of)?|in an?) ){_FEW}(?![\w-]| (?:minut|hour|day|wee|mon))", re.I
)
_TIMES = re.compile(rf"\b(?:{_FEW}|\d{{1,5}})[\s-]?(?:times|fold)\b", re.I)
_SET_OF = re.compile(rf"\b(?:set|pack) of (?:{_FEW}|\d{{1,5}})\b", re.I)
_AMOUNT = re.compile(
    r"\b(?:(?P<half>half)(?:[ -]of)?(?: an?)?|(?P<most>(?:three|3)[- ]quarters?(?: of)?(?: an?)?)|"
    r"(?P<whole>an?|one|two|three|\d{1,5}(?:[.,]\d{1,3})?)(?P<more> and a half| 1/2)?)[\s-]?"
    r"(?P<unit>lit(?:er|re)s?|ltr|l|ml|terabytes?|tb)\b(?P<and> and a half)?",
    re.I,
)
_MEASURE = re.compile(r"(\d{1,5}(?:\.\d{1,3})?)\s?(ml|l|lit(?:er|re)s?|gb|tb)\b", re.I)
_RANGE = re.compile(r"(\d+)-(\d+) (\w+)$")
_Values = tuple[tuple[str, tuple[str, ...]], ...]


class _Saying(NamedTuple):
    """What people say for a value, where the option's name has one of some words and another value is beside it."""

    said: re.Pattern[str]
    keys: list[str]
    beside: tuple[str, ...]


def _sayings() -> dict[tuple[str, ...], list[_Saying]]:
    table: dict[tuple[str, ...], list[_Saying]] = {}
    for line in re.split(r"\n| ;; ", _SAID.strip().replace("|\n  ", "|")):
        head, _, said = line.partition(": ")
        names, _, rest = head.partition(" @")
        keys, _, beside = rest.partition(" + ")
        for name in re.findall(r"<([A-Z]+)>", said):
            said = said.replace(f"<{name}>", _PARTS[name])
        saying = _Saying(re.compile(rf"(?<![\w-])(?:{said})(?![\w-])", re.I), keys.split(), stems_of(beside))
        for value in names.split(", "):
            table.setdefault(stems_of(value), []).append(saying)
    return table


_BY_VALUE = _sayings()


def shop_words(text: str, values: Mapping[str, Sequence[str]]) -> str:
    """Return a text in which options that are told by other words are told by the shop's.

    Args:
        text: what a customer says.
        values: by option, the values there are. An option that the text tells in the shop's words is left alone.
    """
    return _shop_words(text, tuple((key, tuple(own)) for key, own in values.items()))


@lru_cache(maxsize=4000)
def _shop_words(text: str, values: _Values) -> str:
    text = _in_digits(text, values)
    put: list[tuple[int, int, str]] = []
    for key, own in values:
        spans = [one for one in _told(text, key, own) if _is_told(text, key, one, values)]
        if spans and not _named(text, key, own, spans):
            put += spans
    put.sort(key=lambda one: (one[0] - one[1], one[0]))
    kept: dict[tuple[int, int], list[str]] = {}
    for start, end, words in put:
        if (start, end) in kept:
            kept[start, end].append(words)
        elif all(end <= begin or stop <= start for begin, stop in kept):
            kept[start, end] = [words]
    for (start, end), told in sorted(kept.items(), reverse=True):
        words = " ".join(dict.fromkeys(told))
        if _UNWANTED.search(text[max(0, start - 80) : start]):
            words = text[start:end] if words.startswith(("no ", "not ")) else f"not {words}"
        text = f"{text[:start]}{words}{text[end:]}"
    return text


def _told(text: str, key: str, own: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    """Yield where a text tells a value of an option by other words, and the shop's words for it."""
    stems = [stems_of(value) for value in own]
    for value, parts in zip(own, stems, strict=True):
        for saying in _BY_VALUE.get(parts, ()):
            if saying.keys and not any(word in key.lower() for word in saying.keys):
                continue
            if saying.beside and saying.beside not in stems:
                continue
            words = _own_words(value, parts, stems)
            if parts in (("none",), ("no",), ("yes",)):
                words = {"none": f"no {key}", "no": f"not {key}", "yes": key}[parts[0]]
            elif saying.keys and len(parts) == 1 and parts[0] not in stems_of(key):
                words = f"{words} {key}"
            for start, end in _spans(saying.said, text):
                yield start, end, words


def _is_told(text: str, key: str, span: tuple[int, int, str], values: _Values) -> bool:
    """Say whether a phrase tells of a want, and is not how the shop calls a value of another option."""
    start, end, _ = span
    if _NO_WANT.search(text, max(0, start - 30), start):
        return False
    said = stems_of(text[start:end])
    return not any(_has(said, stems_of(value)) for other, own in values if other != key for value in own)


@lru_cache(maxsize=20_000)
def _spans(said: re.Pattern[str], text: str) -> tuple[tuple[int, int], ...]:
    return tuple(found.span() for found in said.finditer(text))


def _own_words(value: str, parts: Sequence[str], stems: Sequence[Sequence[str]]) -> str:
    """Return the words of a value, without those that would tell another one as well ("Wi-Fi + Cellular")."""
    within = {stem for other in stems if set(other) < set(parts) for stem in other}
    rest = [word for word in re.findall(r"\w+", value) if not set(stems_of(word)) & within]
    return " ".join(rest) if within and rest and rest[0].lower() not in ("non", "not", "no") else value


def _named(text: str, key: str, own: Sequence[str], spans: Sequence[tuple[int, int, str]]) -> bool:
    """Say whether a text tells an option in the shop's words too, other than as what is to go."""
    names = [key] if {*own} <= {"yes", "no"} else own
    known = [parts for name in names if (parts := stems_of(name))]
    ends = sorted((start, end) for start, end, _ in spans)
    stops = [*(start for start, _ in ends), len(text)]
    for number, (begin, stop) in enumerate(zip([0, *(end for _, end in ends)], stops, strict=True)):
        piece = text[begin:stop]
        swaps = list(_SWAP.finditer(piece))
        before = piece[swaps[-1].end() :] if swaps else piece
        after = piece[: swaps[0].start()] if swaps else piece
        near = [*([before] if number < len(ends) else []), *([after] if number else [])]
        if any(_has(stems_of(one), parts) for one in near for parts in known):
            return True
    return False


def _has(said: tuple[str, ...], parts: tuple[str, ...]) -> bool:
    return parts != () and any(said[at : at + len(parts)] == parts for at in range(len(said)))


def _in_digits(text: str, values: _Values) -> str:
    """Return a text with the sizes, amounts and numbers of these values as the shop writes them."""
    known = {value.lower(): value for _, own in values for value in own if value[:1].isdigit()}
    if not known:
        return text
    said = {stems_of(value) for value in known}
    digits = {found[0] for value in known for found in re.finditer(r"\d+", value)}
    shoes = {value for key, own in values if "size" in key.lower() for value in own if value.isdigit()}
    amounts = {_amount(*found.groups()): found[0] for one in known.values() if (found := _MEASURE.match(one))}

    def number(found: re.Match[str]) -> str:
        much = _number(found[0])
        return str(much) if much > 12 and str(much) in digits else found[0]

    def few(found: re.Match[str]) -> str:
        return str(_NUMBERS.get(found["few"].lower(), 0)) if found["few"] else re.findall(r"\d+", found[0])[0]

    def amount(found: re.Match[str]) -> str:
        whole = (found["whole"] or "0").lower().replace(",", ".")
        much = float(_NUMBERS.get(whole, 1)) if whole.isalpha() else float(whole)
        much += 0.5 * sum(bool(found[part]) for part in ("half", "more", "and")) + 0.75 * bool(found["most"])
        meant = amounts.get(_amount(str(much), found["unit"]))
        return found[0] if meant is None or stems_of(found[0]) in said else meant

    text = _SPELLED.sub(number, text)
    for value in known.values():
        if (span := _RANGE.match(value)) is not None:  # "the 30-50"
            text = re.sub(rf"\b{span[1]}\s?(?:-|–|to)\s?{span[2]}\b(?!\s?{span[3]})", value, text, flags=re.I)
    text = _SIZE.sub(lambda f: f"{f['before']}{few(f)}" if few(f) in shoes else f[0], text)
    text = _TIMES.sub(lambda f: known.get(f"{few(f)}x", f[0]), text)
    text = _SET_OF.sub(lambda f: known.get(f"{few(f)}-piece", f[0]), text)
    return _AMOUNT.sub(amount, text) if amounts else text


def _amount(number: str, unit: str) -> tuple[str, int]:
    """Return a volume in millilitres, or a storage in gigabytes, half a terabyte being 500 or 512 of them."""
    much, unit = float(number), unit.lower()
    if unit in ("gb", "tb") or unit.startswith("tera"):
        gigabytes = much if unit == "gb" else much * 1000
        return "gb", 500 if gigabytes == 512 else round(gigabytes)
    return "ml", round(much if unit == "ml" else much * 1000)


def _number(said: str) -> int:
    """Return the number that is spelled: "fifteen hundred" as well as "one thousand five hundred"."""
    total = part = 0
    for word in re.findall(r"[a-z]+|\d+", said.lower()):
        if word == "thousand":
            total, part = total + max(part, 1) * 1000, 0
        elif word == "hundred":
            part = max(part, 1) * 100
        else:
            part += int(word) if word.isdigit() else _NUMBERS.get(word, 0)
    return total + part
