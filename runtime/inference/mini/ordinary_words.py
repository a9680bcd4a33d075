"""Ordinary English words, chosen by hand: whatever is generated may be shown to anybody.

Only these and random strings become names and texts; no dictionary is taken, since every large one has
words that nobody wants to read. Inflected forms are made by rule.
"""

# Things; also used in the plural.
THINGS = tuple("""
ability absence accent access account achievement acorn action activity actor adapter addition address adventure
advertisement advice affair afternoon agenda agency agreement aircraft airline airport alarm album alley allowance almond
alphabet altitude ambition ambulance amount analysis anchor angle animal ankle anniversary announcement answer antenna
anthem apartment apology appendix appetite apple appliance applicant application appointment apprentice apricot apron
aquarium archer architect archive arena argument armchair army arrangement arrival arrow article artist ash aspect assembly
assignment assistant association assumption astronaut athlete atlas atmosphere attachment attempt attendance attic attitude
attraction auction audience author autumn avalanche avenue average avocado award awareness axis baby background backpack
backup bacon badge bag bakery balance balcony ball ballad balloon bamboo banana band bandage bank banner barrel barrier
baseball basement basin basket basketball bath bathroom battery bay beach bead beam bean bear beard beast beaver bed bedroom
bee beetle beginner behaviour bell belt bench benefit berry bicycle bill billboard binder biography bird birthday biscuit
blackboard blanket blossom blouse blueberry board boat bolt bone bonus book bookcase booklet bookshop boot border bottle
bottom boundary bowl box bracelet bracket brain brake branch brand bread breakfast breeze brick bridge briefcase broadcast
brochure broccoli bronze brook broom brother brush bubble bucket buckle budget buffet builder building bulb bulletin bundle
bus business butter butterfly button buyer cabbage cabin cabinet cable cactus cafe cage cake calculator calendar camel camera
camp campaign campus canal canary candidate candle candy canoe canvas canyon capacity capital captain caption caravan carbon
card cardboard career carpenter carpet carriage carrot cart cartoon cascade case cashier castle catalog category caterpillar
cathedral cattle cauliflower cave ceiling celebration cell cellar cello cement census centimeter centre century cereal
ceremony certificate chain chair chalk challenge chamber champion channel chapter character charcoal charger chart checklist
cheese chef cherry chess chestnut chicken chimney chocolate choice choir cinema cinnamon circle circuit circus citizen city
clarinet classroom clay cleaner client cliff climate clinic clock closet cloth cloud clover clue coach coast coat cobweb
coconut code coffee coin collar colleague collection college colony colour column comb comedy comfort comma command comment
committee community companion company comparison compass complaint component composer compound computer concept concert
conclusion concrete condition conductor cone conference confidence connection constant construction consultant consumer
contact container contest context continent contract contrast contribution control convention conversation cook cookbook
cookie copper coral cord corn corner correction corridor cottage cotton couch council counter country county couple courage
course court cousin cover cradle craft crane crayon cream creature credit creek crew cricket criterion crocodile crop
crossing crossroad crow crowd crown crystal cube cucumber culture cup cupboard currency current curriculum curtain curve
cushion custom customer cycle cylinder dairy daisy damage dancer daughter deadline dealer debate decade decision deck
decoration deer default defence degree delay delegate delivery demand density dentist department departure deposit depth
desert design designer desk dessert destination detail detective detergent developer device dialogue diamond diary dictionary
diet difference dinner dinosaur diploma direction director disaster discount discovery discussion dish display distance
district division doctor document dollar dolphin donation door doorbell dough dragon drama drawer drawing dream dress drill
drink driver drum duck duration dust duty eagle earring earthquake east easel echo eclipse economy edge edition editor
education effect effort eggplant elbow election electricity elephant elevator emergency emotion employee employer encyclopedia
energy engine engineer entrance entry envelope environment episode equation equator equipment error escalator essay estate
estimate evening event evidence examination example exception exchange excursion exercise exhibition exit expense experience
experiment expert explanation explorer export expression extension extract eye eyebrow fabric face facility factor factory
failure fairy falcon family fan farm farmer fashion father feather feature fee feedback fence ferry festival field fig figure
file filter finance finger firefly fireplace fish fisherman flag flame flashlight flavour fleet flight flock flood floor flour
flower flute fog folder food football footnote forecast forehead forest fork form format formula fortress fossil foundation
fountain fox fraction fragment frame freedom freezer frequency fridge friend friendship frog frost fruit fuel function funnel
furniture gadget galaxy gallery garage garden gardener garlic garment gate gateway generator genius geography ghost giant
giraffe glacier glass glove glue goat goldfish goose grain grammar grandfather grandmother grape grapefruit graph grass
grasshopper greenhouse greeting grocery guarantee guest guide guitar gymnasium habit hairdresser hall hallway hammer hammock
hamster handbook handkerchief handle harbour hardware harvest hat hawk hazelnut headache headline headphone heart heater
hedge hedgehog height helicopter helmet herb heritage hero hike hill hinge history hobby hockey holiday homework honey hood
hook horizon horn horse hospital host hostel hotel hour house household housing humour hurricane hypothesis ice icicle icon
idea identity igloo illustration image impact import impression improvement incident income index industry influence
information ingredient initiative ink inn innovation input inquiry insect inspection inspector inspiration installation
instruction instrument insurance interest interface interior internet interpreter interval interview introduction invention
inventory investment invitation invoice iron island issue ivy jacket jaguar jam jar jaw jeans jelly jet jewel jigsaw job
joke journal journalist journey judge juice jungle junction jury kangaroo kayak keeper kettle keyboard keyhole kilometer
kingdom kiosk kitchen kite kitten knee knight knob knot knowledge label laboratory lace ladder lake lamb lamp landlord
landmark landscape lane language lantern laptop laundry lavender lawn lawyer layer layout leader leaf leaflet league leather
lecture lecturer legend lemon lemonade lens lentil leopard lesson letter lettuce level lever liability library licence lifeboat
lighthouse lightning limit line lion liquid list literature lizard loaf lobby lobster location lock locomotive logbook logo
lottery lounge luggage lunch luxury machine magazine magician magnet mailbox mainland majority mammal manager mango
manual manuscript map maple marathon marble margin market marmalade marriage mask master mat match material mathematics
mattress maximum mayor meadow meal measurement mechanic medal medicine meeting melody melon member membership memory merchant
message metal meteor method microphone microscope midnight milestone milk mill mineral minimum minister minority mint minute
mirror mission mistake mixture mobile model module moment monitor monster month monument mood moon morning mosaic mosquito
moss mother motion motor motorcycle mountain mouse mouth movement movie muffin mug museum mushroom musician mustard mystery
nail name napkin nation nature navigator necklace needle neighbour neighbourhood nephew nest network newspaper nickname niece
night nightingale noodle noon north notebook notice notification notion novel number nurse nut oak oasis oatmeal object
objective obligation observation observatory obstacle occasion occupation ocean octopus offer office officer olive omelette
onion opera operation operator opinion opportunity option orange orbit orchard orchestra orchid order organ organisation
origin ornament ostrich otter outcome outfit outline output oven overview owl owner ox oxygen package packet paddle page paint
painter painting palace pancake panda panel panther paper parachute parade paragraph parcel parent parking parliament parrot
parsley participant particle partner partnership passage passenger passport pasta pastry patch path patient pattern pause
pavement payment peach peacock peanut pear pebble pedestrian pen pencil penguin pension pepper percentage perfume period
permission permit personality petrol pharmacy phase philosophy photo photograph photographer phrase physician piano pickle
picnic picture pie pigeon pillow pilot pine pineapple pioneer pipe pitch pizza plan planet plant plantation plaster plastic
plate platform player playground plot plug plum plumber pocket poem poet point polar policy politician pollution pond pony pool
popcorn population porridge port porter portion portrait position possibility postcard poster potato pottery powder power
practice prairie prayer precaution preference premium preparation presence present presentation president pressure price
prince princess principle printer priority prisoner privacy privilege prize problem procedure process processor product
production profession professor profile profit programme progress project promise promotion proof property proposal protein
protocol province pudding puddle pump pumpkin pupil puppet puppy purchase purpose purse puzzle pyramid quality quantity
quarry quarter queen question questionnaire queue quilt quiz quota quotation rabbit raccoon race racket radiator radio radish
raft railing railway rain rainbow raincoat raisin range rank raspberry rate ratio reaction reader reality reason receipt
receiver reception recipe recipient recommendation record recorder recovery rectangle reduction reference reflection
refrigerator refund region registration regulation rehearsal reindeer relation relationship relative release reminder removal
rent repair replacement reply report reporter representative reptile request requirement rescue research reservation
reservoir residence resident resource respect response responsibility restaurant result retirement revenue review revision
reward rhythm ribbon rice riddle ring river road robot rock rocket role roof room rooster root rope rose roundabout route
routine row rubber rug ruler rumour sail sailor salad salary sale salmon salt sample sand sandal sandwich satellite satisfaction
sauce saucer sausage savings saw scale scarf scene scenery schedule scheme scholar scholarship school schoolbag science
scientist scissors scooter score scorpion scout screen screenshot screw screwdriver script sculpture seagull seal season seat
secret secretary section sector security seed selection semester seminar sender sense sensor sentence sequence series server
service session settlement shadow shampoo shape shark sheep sheet shelf shell shelter shepherd shield shift ship shipment shirt
shock shoe shopkeeper shore shortcut shoulder shovel shower shuttle siblings sidewalk signal signature silence silk silver
simulation singer sink sister situation skateboard sketch skill skirt sky skyscraper sleeve slide slipper slogan slope snack
snail snake snow snowflake snowman soap soccer society sock sofa software soil soldier solution song sound soup source south
souvenir soybean space spaceship spade spaghetti sparrow speaker specialist species spectacle spectator speech speed spelling
sphere spice spider spinach spiral sponge sponsor spoon spreadsheet spring square squirrel stable stadium staff stage stairs
stamp standard star statement station statistics statue steak steam steel stem step stew sticker stock stocking stomach stone
stool storage store storm story stove stranger strategy straw strawberry stream street strength stress string stripe structure
student studio study style subject subscription substance suburb success suggestion suit suitcase sum summary summer summit
sunflower sunglasses sunrise sunset supermarket supper supplier supply support surface surfer surgeon surprise survey swan
sweater swimmer swing switch symbol sympathy symphony symptom syrup system table tablet tail tailor talent tank target task
taxi tea teacher team teapot technician technique technology telegram telephone telescope television temperature temple tenant
tendency tennis tent term terminal terrace territory test textbook texture theatre theme theory thermometer thesis thread
throne thumb thunder ticket tide tiger tile timber timetable tip title toast tomato tongue tool toothbrush toothpaste topic
torch tornado tortoise total tournament towel tower town toy track tractor trade tradition traffic trailer trainer training
tram transfer transformation translation transport treasure treatment tree trend trial triangle tribute trick trip trolley
trophy trousers truck trumpet trunk trust tulip tune tunnel turkey turtle tutor tutorial twilight type typewriter umbrella
uncle uniform union unit universe university upgrade usage user vacation vaccine vacuum valley value van vanilla variable
variety vase vegetable vehicle velvet vendor venue verb version vessel veteran victory video view village vinegar vineyard
violin virtue virus visa visit visitor vitamin vocabulary voice volcano volleyball volume volunteer vote voyage waffle wage
wagon waiter waitress wallet walnut walrus wardrobe warehouse warning warranty washing watch water waterfall watermelon wave
wax wealth weather website wedding weekday weekend weight welfare west whale wheat wheel wheelbarrow whistle wildlife willow
wind windmill window windscreen winner winter wire wisdom wish witness wood woodpecker wool word workbook worker workshop
worksheet wrapper wrist writer yard yoghurt zebra zone zoo
""".split())
ACTIONS = tuple("""
accept achieve act adapt add adjust admire admit adopt advance advise afford agree allow announce answer apologise appear
applaud apply appoint appreciate approve argue arrange arrive ask assemble assign assist assume attach attend attract avoid
awake bake balance behave believe belong blend blink boil borrow bother bounce breathe brush build bury buy calculate call
calm cancel care carry catch celebrate change charge check cheer choose claim clap classify clean climb close coach collect
combine come comment communicate compare compete complain complete compose concentrate concern confirm congratulate connect
consider consist construct consult contain continue contribute convert convince cook cool copy correct cost cough count cover
crawl create cross cultivate cure customise cycle dance deal decide declare decorate decrease define delay deliver demand
demonstrate depend describe deserve design develop dig direct disagree disappear discover discuss display distribute divide
double download draw dream drift drink drive drop dry earn eat edit educate employ empty enable encourage enjoy enter escape
establish estimate evaluate examine exchange excuse exercise exist expand expect explain explore export express extend fasten
feed feel fetch fill find finish fit fix float flow fold follow forget forgive form freeze frown gather generate give glow
govern grab greet grow guard guess guide hand handle hang happen harvest head heal hear heat help hesitate hide hire hold hope
hug hum hurry identify ignore imagine implement import impress improve include increase indicate inform inspect install
instruct insure intend interview introduce invent invest invite irrigate jog join judge jump keep kneel knit knock know label
land laugh launch lead lean learn leave lend lift light listen load lock look lose maintain manage march mark match matter
measure melt mend mention merge mix monitor motivate mount move multiply negotiate nod notice notify number obey observe obtain
occur offer open operate organise overlook own pack paint park participate pass pause pay peel perform permit persuade phone
pick plan plant play plough point polish possess post pour practise praise pray predict prefer prepare present preserve press
prevent print proceed process produce program promise promote protect prove provide publish pull pump punctuate purchase push
question race raise reach read realise receive recognise recommend record recover recycle reduce refer reflect refuse regret
reject relate relax release rely remain remember remind remove renew rent repair repeat replace reply report represent request
rescue reserve resolve respond rest restore retire return reveal review revise reward ring rinse roll row rub rule run sail
satisfy save scan scatter scrub search select sell send separate serve settle sew shake share sharpen shave shine shop shout
show shrink sign signal simplify sing sit sketch ski skip sleep slice slide slow smell smile sneeze snore solve sort speak
specify spell spend spill spin split spread sprinkle squeeze stand stare start stay steer step stir stop store stretch
strengthen study submit subtract succeed suffer suggest suit summarise supply support suppose surprise survive suspect
swallow sweep swim switch talk taste teach tell thank think throw tidy tie tighten touch tour trace train translate travel
treat trim trust try turn type understand unite unlock unpack update upload use vanish verify visit vote wait wake walk wander
want warm warn wash watch water wave wear weave weigh welcome whisper win wind wipe wish wonder work worry wrap write yawn zip
""".split())
QUALITIES = tuple("""
able absolute academic acceptable accurate active actual additional adequate advanced afraid alive alone amazing ancient
annual anxious apparent appropriate artificial asleep automatic available aware awkward basic beautiful beneficial bitter
blank bold brave brief bright brilliant broad broken brown busy calm capable careful casual central certain cheap cheerful
chemical chilly circular civil classic clean clear clever cloudy cold colourful comfortable common compact complete complex
confident considerable consistent constant contemporary convenient cool correct costly creative critical crucial curious
curly current daily damp deaf dear decent deep delicate delicious dense dependent different difficult digital direct distant
distinct domestic double dramatic dry dull durable eager early eastern easy economic effective efficient elaborate elderly
electric electronic elegant empty endless enormous entire equal essential eternal exact excellent exciting exclusive expensive
experienced external extra extraordinary fair faithful false familiar famous fast federal fellow final financial fine firm
flat flexible foggy foreign formal fortunate fragile frequent fresh friendly frozen full funny future general generous gentle
genuine gigantic glad global golden gradual grand grateful great green grey guilty handsome handy happy hard harmless healthy
heavy helpful hidden high historical hollow honest hopeful horizontal huge humble hungry identical imaginary immediate
important impossible impressive independent individual industrial inevitable informal initial inner innocent interesting
internal international invisible irregular jolly joint keen kind large late lazy left legal lengthy light likely limited
liquid little lively local logical lonely long loose loud lovely low loyal lucky magnetic main major massive mature maximum
mechanical medical medium mental messy mild minimal minor missing mobile modern modest monthly multiple musical mutual
mysterious narrow national natural neat necessary negative nervous neutral new nice noble noisy normal northern numerous
obvious occasional odd official old opposite optional ordinary original outdoor outer oval overall pale parallel partial
particular patient peaceful perfect permanent personal physical plain pleasant plenty polite poor popular positive possible
powerful practical precious precise preliminary pretty previous primary prime principal private probable professional
profitable prominent promising proper proud public punctual pure purple quick quiet random rapid rare raw ready real
reasonable recent rectangular regional regular relative relevant reliable remarkable remote responsible rich ripe romantic
rough round royal rural rusty safe salty satisfied scientific seasonal secondary secret secure senior sensible sensitive
separate serious shallow sharp shiny short shy significant silent silly similar simple sincere single skilful sleepy slight
slippery slow small smart smooth social soft solar solid sour southern spare special specific spicy spontaneous square stable
standard steady steep sticky still stormy straight strange strict strong sturdy successful sudden sufficient suitable sunny
superb sure surprising sweet systematic tall technical temporary tender tense terrible thick thin thirsty tidy tight tiny tired
total tough traditional transparent tropical typical ugly ultimate uncertain unique universal unknown unusual upper urban
urgent useful usual vague valid valuable various vast vertical visible vital vivid voluntary warm waterproof weak weekly
western wet whole wide wild wise wonderful wooden worldwide worthy yearly yellow young
""".split())
KEEP_Y = "aeiou"


def plural(word: str) -> str:
    if word.endswith(("s", "x", "ch", "sh", "z")):
        return word + "es"
    return word[:-1] + "ies" if word.endswith("y") and word[-2] not in KEEP_Y else word + "s"


def ending(word: str, end: str) -> str:
    """`-ing`, `-ed` or `-er`, for verbs that only lose an e or turn y into i; else the word."""
    if word.endswith("e") and not word.endswith(("ee", "ye", "oe", "ie")):
        return word[:-1] + end
    if word.endswith("y") and word[-2] not in KEEP_Y and end != "ing":
        return word[:-1] + "i" + end
    doubles = len(word) < 6 and word[-1] not in "wxyaeiouhks" and word[-2] in KEEP_Y and word[-3:-2] not in tuple(KEEP_Y)
    return word if doubles else word + end


IRREGULAR = set(
    """awake build buy catch choose come cost deal dig draw dream drink drive eat feed feel find fit forget forgive freeze
    give grow hang hear hide hold keep kneel know lead lean learn leave lend light lose pay read ring run see sell send sew
    shake shine show shrink sing sit sleep smell speak spell spend spill spin split spread stand sweep swim teach tell think
    throw understand wake wear weave win wind write tie ski program travel agree disagree permit prefer regret submit slide free""".split()
)


def ordinary_words() -> tuple:
    """All words, with their regular forms, each once and in a fixed order."""
    found = [*THINGS, *ACTIONS, *QUALITIES]
    found += [plural(one) for one in THINGS if not one.endswith(("s", "ice", "ness", "ing", "man", "o", "ity", "ism", "lf"))]
    for verb in ACTIONS:
        found.append(ending(verb, "ing"))
        if verb not in IRREGULAR:
            found.append(ending(verb, "ed"))
    return tuple(dict.fromkeys(word for word in found if len(word) >= 3))


# Parts of words that random letters must not spell, by rot13 so that they do not stand here.
UNWANTED = tuple(
    "encr anmv frk fuvg shpx avtt avtn xxx qvpx pbpx phag gvgf nany nahf cbea fyhg jubr ubzb crqb encv crar chff uber ovgp "
    "obbo phz cvff cbb ghe".translate(
        str.maketrans("nopqrstuvwxyzabcdefghijklm", "abcdefghijklmnopqrstuvwxyz")
    ).split()
)


def is_unwanted(letters: str) -> bool:
    return any(part in letters.lower() for part in UNWANTED)
