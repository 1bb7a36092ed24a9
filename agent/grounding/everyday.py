"""Everyday English that names nothing, and nouns that name goods.

A capitalised word that is not everyday English must stand in a finding or the question, and so must a
word for goods: neither may be made up. Words are compared lower case and singular.
"""

from __future__ import annotations

from storewise.agent.grounding.tokens import singular


def _words(text: str) -> frozenset[str]:
    return frozenset(singular(word) for word in text.split())


EVERYDAY = _words("""
id ids a abandon abandoned abandoning abandonment able about above abroad absence absent absolute absolutely accept
access accident accidentally according account accounted accounting accounts accurate achieve across act
acting action active activity actual actually add added addition additional address adjust adult advance
advice advise affect aforementioned afraid after afternoon afterwards again against age agent ago agree
ahead aim aisle alarm alert all allow almost alone along alongside already also alternative although
altogether always am amazing amid among amongst amount an analysis analyst and annoyed annual another answer
answerable answered any anybody anyhow anymore anyone anything anyway anywhere apart apparently appeal
appealing appear appears applaud apply appreciate approach appropriate approximate approximately are area
aren't argue around arrive arrived article as aside ask asked asking asks aspect assist assistance assistant
assume at attached attempt attend attention attract attractive audience automatic available average averages
avoid aware away awful awkward back bad balance bar bare barely base based basic basically basis basket
baskets be bear beat because become becomes been before begin begins behave behavior behaviour behind being
belief believe belong belongs below beneath benefit beside besides best best-seller best-selling bestseller
bestselling bet better between beyond big big-ticket bigger biggest bit bitter blame blamed block blow
bluntly board body bonus book boost bore boss both bother bothered bottom bottom-line bought bound break
breakdown brief briefly bright bring brings broad broadly broken brought browsing budget build built bulk
bundle burn burnt business busy but buy buyer buyers buying buys by calculate call called calling calls calm
came campaign can can't candid cannibal cannot capital capture card care careful carefully carry cart carts
case cashier catalog catalogue catch categories category cause caution cautious certain certainly certainty
champion's chance chances change changed changes channel chapter characteristic charge chart chase cheap
cheaper cheapest check checked checking checklist checkout cheers chief child children choice choices choose
chose chosen churn churned churner churning circa circle circumstance clarification clarify clear clear-cut
clearer clearly clerk clever click clicking climb close closely closer club coax code cohort cold colleague
collect column combination combine combined come comes comfort comfortable comfortably coming comment
comments commit common commonly communicate company comparable comparatively compare compared comparing
comparison competitor complain complaint complaints complete completed completely completing complex
compliment concern concerned concerning concerns conclude conclusion condition conduct confidence confident
confirm confirmed confirms confuse congratulations connect consequence consider considerable considerably
considered consist consistent consistently constant constantly contact contain contains content context
continue continued contrast contribute contributor control convenience convenient conversion convert convey
convince correct correctly cost costs could couldn't count counted counter counts couple coupon coupons
course cover covers create credit critic criticise criticism cross-check cross-sell crossed crowd crucial
curious curiously currency current currently customer customers cut cycle daily damage danger dark dashboard
data database date dates day days deal dear decent decide decided decision decisions decline declined
declining decrease decreased deduce deep definite definitely degree delay deliver delivered delivery demand
department depend dependable depends depth describe described description deserve deserves design desk
detail detailed details determine detractor develop did didn't differ difference different difficult dip
direct direction directly disappear disappoint disappointed disappointing disappointment discount discover
discuss dislike display distance distant distinct distribution divide divided do does doesn't doing dollar
dollars dominate dominated dominates don't done dormant double doubt doubtful down downturn draw drawn drift
drill drive driven driver drives drop dropped due dull during e-mail each eager earlier earliest early earn
earned ease easier easily easy edge effect effective effort efforts eighth either element else elsewhere
email emphasis empty encourage encouraging end ended ending endorse ends engage engaged engagement enjoy
enjoyed enjoys enough ensure enter entire entirely entry equal equally equivalent error especially essential
essentially estimate estimated etc evaluate even evening event events eventually ever every everybody
everyone everything everywhere evidence evident evidently exact exactly examine example examples exceed
excellent except exception excited exciting exclude exclusive exclusively exist existing exists expand
expect expected expensive experience explain explained explains explanation explore exploring expose express
extend extent extra extreme extremely eye face fact factor factors facts fading fail failed fair fairly
faithful fall fallback fallen falling falls familiar family fan far fast faster father fault favor favorable
favorably favorite favorites favour favourable favourably favourite favourites fear feature features fed
feedback feel feeling feels fell few fewer field fifth figure figures file fill final finally find finding
findings finds fine finish firm first fit fits five fix fixed flag flagged flat flavor flavour floor flow
flyer focus folk folks follow follow-up followed following follows followup fond foot for force forecast
forever forget forgot form former forward found four fourth frank free freely frequency frequent frequently
freshness friend friendly from front frontrunner frustrate frustrated frustrating full fully fun further
furthermore future gain gained gap gaps gather gave general generally generate generated gentle get gets
getting give given gives giving glad gladly glance glowing go goes going gone good got gotten grab gradual
gradually grand great greater greatest greatly greet gripe ground group groups grow growing grown growth
grumble guarantee guess guest guide habit habits had hair half halfway hand handful handle happen happened
happens happier happily happy hard hardly hate hated hates have haven't having he head headline heads health
healthy heard heart heavily heavy heavyweight hello help helped helpful helps hence her here here's hers
hesitant hesitate hey hi hibernating hidden hide high higher highest highlight highly him himself hint his
history hit hits hold holding holds holiday holidays home homeowner honest honestly hooked hope hopefully
hot hour hours household households how however huge human hundred hundreds hurry hurt i i'd i'll i'm i've
idea ideal ideally ideas identify idle if ignore imagine immediate immediately impact important impossible
impression improve improved improvement in inactive inactivity incentive inclined include included includes
including income incomplete increase increased increasing indeed indicate indicated indicates indication
individual industry influence info inform information initial initially inside insight insights instance
instead interest interested interesting internal into introduce inventory investigate invite involve
involved is isn't issue issues it it's item items its itself job join joined jump just keen keenest keep
keeping keeps kept key kid kind kindly kinds knew know known knows label labelled lack lacks laggard lagging
land lapse lapsed lapsing large largely larger largest last lasted lastly late lately later latest latter
lay layout lead leader leaders leading leads lean leaned leaning learn least leave leaves leaving led left
leftover less lesser let let's level levels lies life light like liked likelier likeliest likelihood likely
likes likewise liking limit limited line lines link list listed lists little live lively loads local long
longer longest look looked looking looks lose loses losing loss lost lot lots love loved lovely loves low
lower lowest loyal loyalty luck luckily lucky magic mail main mainly maintain major majority make makes
making manage managed manager mandatory manner many margin marginally mark marked market marketing married
match matches matching matter matters maximum may maybe me mean means meant meantime meanwhile measure
measured measures mediocre medium meet member members memory mention mentioned mentions mere merely message
met method metric metrics mid middle might mild million mind mine minimum minor minus minute minutes miracle
miracles miss missed missing mixed mode model moderate moderately modest moment moments momentum money
monitor month monthly months moon moral more moreover morning most mostly mother move moved movement moves
much must my myself name named namely names narrow narrowly nature near nearby nearest nearly necessarily
necessary need needed needs negative negatively neither net neutral never nevertheless new newcomer newest
news newsletter next nice nicely nine ninth no nobody none nonetheless nor normal normally nose not notable
notably note noted notes noteworthy nothing notice noticeable noticeably noticed noting now nowhere nudge
nudges nudging number numbers object obvious obviously occasion occasional occasionally odd oddly odds of
off offer offered offering offers office often oh ok okay old older oldest on once one ones ongoing online
only onto open opened opinion opinions opportunity opposite optimistic option options or order ordered
ordering orders ordinary organise organize original originally other others otherwise ought our ours out
outcome outlier outlook outright outsell outside outsold outstanding over overall overdue overview
overwhelmingly owe own owner pace page paid pain pair panic parent part partial particular particularly
partly parts party pass past patron pattern patterns pause pay payment payments pays peak peaked peaks
penultimate people per percent percentage perfect perfectly perform performance performed performer
performers perhaps period periods permanent person personal personally persuade pertinent phone phrase pick
picked picking picks picture piece pieces place placed placing plain plainly plan plans plausible play plead
please pleased pleasing plenty plus point points polite poor poorest poorly popular popularity portion
position positive positively possibility possible possibly post potential potentially practically praise
praised praises precaution preceding precious precise precisely predict predicted prediction predominantly
prefer preference preferences preferred prefers prepare presence present pressing presumably pretty prevent
previous previously price prices pricey primarily primary prime print prior priority private probability
probable probably problem problems process produce produced product products profile profit profitable
program programme progress promise promising promo promote promotion prompt promptly prone proof proper
properly proportion propose protect proud prove proves provide provided provides public pull purchase
purchased purchases purchasing purpose push put puts quality quantity quarter quarters question
question-mark questions quick quickly quiet quieter quietly quite quote quoted quotes raise raised ran range
ranged ranges ranging rank ranked ranking rankings ranks rapid rapidly rare rarely rate rated rates rather
rating ratio re-engage reach reached reaching react read reader reading reads ready real realise realistic
really reason reasonable reasonably reasons reassure rebound recall recap receive received recency recent
recently reckon recommend recommendation recommendations recommended recommends reconnect record recorded
records recover reduce reduced reduction reengage refer reference reflect regard regarding regardless
regards regret regular regularly regulars relate related relation relationship relative relatively relevant
reliable reliably reluctant rely remain remainder remained remaining remains remarkable remarkably remember
remind reminded reminder reminders reorder repeat repeated repeatedly reply report reported reportedly
reports represent represents repurchase request require required rescue research respect respective
respectively respond respondent response rest result resulted results retain retained retention return
returned returning returns reveal revenue reverse review reviewed reviewer reviewers reviews reward rhythm
rid right rise rises rising risk riskier riskiest risks risky robust role rose rough roughly round row rows
rule run runaway rundown runner runner-up running runs sadly safe safely safer safest safety said sale sales
salvage same sample satisfied satisfy save saved saving say saying says scale scarcely scattered scenario
sceptical schedule scope score scored scores seal search searched season seasonal second secondly section
secure see seeing seek seem seemed seemingly seems seen segment segments seldom sell seller sellers selling
sells send sending sense sensible sent sentence sentiment sentimental separate separately series serious
seriously serve served service session sessions set sets settle settled seven seventh several severe shall
shame share share-holder shared shares sharp sharply she shelf shift ship shipped shipping shop shopped
shopper shoppers shopping shops short shorter shortfall shortlist shortly should show showed showing shown
shows side sight sign signal signals significant significantly signs silence silent similar similarly simple
simply since single sit site sits situation six sixth sizable size sizeable sizes skip slack slice slid
slide slight slightly slim slip slipped slipping slow slower slowest slowly sluggish slump small smaller
smallest smell smooth snapshot so social soft sold solid solve some somebody somehow someone something
sometimes somewhat somewhere soon sooner sorry sort sorts sound sounds source space speak speaking special
specific specifically spend spender spending spends spent spike split spoke spoken spot spread spring stable
staff stage stagnant stand standby standing standout stands staple staples star stars start started starting
starts state stated statement states station statistic status stay stayed staying stays steadily steady
steep steeply step steps still stock stood stop stopped stopping stops store stores story straggler straight
straightaway straightforward strange strangely strategy strength strengthen stretch strict strong stronger
strongest strongly structure struggle struggling stuck stuff style subject subsequent substantial
substantially succeed success successful such sudden suddenly suffer suffered suggest suggested suggestion
suggestions suggests suit suitable suited suits sum summarise summarize summary summer support suppose
supposed supposedly sure surely surge surprise surprised surprising surprisingly survey sweet swing switch
table tail take takeaway takeaways taken takes taking takings talk talking target taste tastes team tell
telling tells temporary tempt tempted tempting ten tend tended tendency tends tentative tenth term terms
test text texture than thank thankfully thanks that that's the their theirs them theme themes themselves
then there there's thereby therefore these they they'd they'll they're they've thing things think third
thirdly this thorough those though thought thoughtful thoughts thousand thousands threat three through
throughout thus ticket tickets tie tied tier tight times tiny tip tips tired to today together told tomorrow
tone tonight too took tool tools top top-selling topic topmost topped tops total totals touch touchpoint
toward towards town track traffic trail trailing transaction transactions treat trend trending trends tried
tries trip trips trouble troubles true truly trust truth try trying turn turned turnover turns twelve twice
two type types typical typically ultimate ultimately unable uncertain unclear undecided under underline
underperform understand understandable understandably understanding undo unfortunate unfortunately unhappily
unhappy unit units unknown unless unlike unlikely until unusual unusually up upcoming update upon upper
upset upside uptick upward urge urgency urgent urgently us use used useful user users uses using usual
usually valid valuable value valued values variety various vary vast verdict version versus very veteran via
view viewed virtually visible visit visited visiting visitor visitors visits vital voice volatile volume
voucher vulnerable wait waiting walk want wanted wants warm warn warning warning-sign was wasn't waste watch
watched watching watchlist way ways we we'd we'll we're we've weak weaken weaker weakest weakly weakness
weather web website week weekend weekly weeks weigh weight welcome well wellness went were weren't what
what's whatever when whenever where whereas wherever whether which whichever while whilst who whoever whole
whom whose why wide widely wider will willing win win-back winback window winner winning wins winter wise
wish with within without woman won't wonder wonderful word words work worked working works world worried
worries worry worrying worse worsen worst worth worthless worthwhile worthy would wouldn't write writes
writing written wrong wrote yeah year yearly years yes yesterday yet you you'd you'll you're you've young
your yours yourself zero
""")

GOODS = _words("""
alcohol ale almond appetizer apple applesauce apricot artichoke asparagus aspirin avocado bacon bagel
baguette baklava ballpoint banana bandage barbecue basil batter battery bean beef beer beet beverage bikini
biscuit blackberry blanket blender blouse blueberry bologna boot bouillon bouquet bourbon bowl bra bran
brandy bratwurst bread breadcrumb brie brioche broccoli broom broth brownie brush bulb bun burger burrito
butter buttermilk cabbage cabernet cake camera candle candy cantaloupe cappuccino car caramel carrot cashew
casserole cauliflower caviar celery cereal champagne chardonnay charger cheddar cheese cheesecake cherry
chicken chili chip chocolate chowder chutney cider cigar cigarette cinnamon clam clementine coat cocktail
cocoa coconut cod coffee cola coleslaw cologne computer condiment conditioner cookie corn cosmetic cottage
couscous crab cracker cranberry crayon cream creamer crepe crisp croissant crouton cucumber cupcake curry
custard danish decaf deodorant dessert detergent diaper dip dishwasher dog donut doughnut dress dressing
dryer dumpling earring eclair egg eggnog eggplant enchilada energy-bar espresso fabric feta fig fish
flashlight flatbread flour flower foil fork formula frankfurter fries frosting fruit fryer fudge furniture
garlic gelatin gin ginger gingerbread glove gnocchi gouda granola grape grapefruit gravy guacamole guava gum
gumbo haddock halibut ham hamburger hammer handbag hazelnut headphone herb herring honey honeydew hotdog
hummus icecream icing insecticide jacket jalapeno jam jean jelly jerky jewelry juice kale kebab kefir
ketchup keyboard kiwi knife kombucha lamb lamp laptop lasagna lasagne laundry lavender leek lemon lemonade
lentil lettuce licorice lime linguine lipstick liqueur liquor lobster lollipop lotion lunchmeat macaroni
mackerel magazine mango margarine marinade marinara marmalade marshmallow mascara matcha mattress mayo
mayonnaise meat meatball melon milk milkshake mint mitten molasses mop mouthwash mozzarella muesli muffin
mug mushroom mussel mustard nacho napkin nectarine noodle nugget nut nutmeg oat oatmeal octopus olive omelet
onion orange oregano oyster pan pancake pancakes paprika parmesan parsley parsnip pasta pastry pea peach
peanut pear pecan pen pencil pepper peppermint pepperoni perfume persimmon pesto phone-case pickle pie
pillow pineapple pistachio pita pizza plum polish pomegranate popcorn popsicle pork porridge potato poultry
powder pretzel prosciutto prune pudding pumpkin quiche quinoa radish raisin ramen raspberry ravioli razor
relish rice risotto rosemary rum rye salad salami salmon salsa salt sandal sandwich sardine sauce sauerkraut
sausage scallop scarf seafood seasoning seaweed seltzer shampoo shaver sherbet sherry shirt shoe shortbread
shortening shrimp skirt slipper smoothie snack sneaker soap sock soda sofa sorbet soup soy spaghetti spice
spinach sponge sportdrink sprinkle sprout squash squid steak stew strawberry stroller stuffing sugar
sunscreen sushi sweater syrup tablecloth tablet taco tamale tangerine tape tapioca tart tea television
tequila thyme tissue toaster tofu tomato tonic toothbrush toothpaste torte tortellini tortilla towel toy
trout truffle tuna turkey turnip tv umbrella vacuum vanilla veal vegetable vinegar vitamin vodka waffle
walnut wasabi watch watermelon whiskey whisky wine wipe wrap yam yeast yoghurt yogurt zucchini
""")
GOODS -= {
    "watch",
    "dip",
    "crisp",
    "wrap",
    "powder",
    "polish",
    "cottage",
    "car",
    "dog",
    "tape",
    "formula",
    "brush",
}
