"""Requests that need no tool, and what to say to them."""

CANNOT = "I can't do that: I can only list, read, search, write and edit files in this workspace, run allowed programs and keep notes."
IDENTITY = "I am nacre-mini, a small demonstration model. I can list, read, search, write and edit files in this workspace, run allowed programs and keep notes."

CHATTER = (
    (("(hello|hi|hey|good morning|good evening|good afternoon|hello there|hi there|hey there|greetings|howdy|hallo|moin|yo)( nacre| assistant| computer| you| bot| friend| again|)( :\\)|!|,|)",), "Hello! What can I do for you in this workspace?"),
    (("(thanks|thank you|thanks a lot|many thanks|thank you very much|thx|great, thanks|perfect, thank you|cheers|thank you so much|ty|much appreciated|thanks for your help|that was helpful|well done|good job|great|nice work|nice|perfect|awesome|excellent|cool|wonderful)( nacre|)",), "You are welcome."),
    (("(who|what) are you?", "what('s| is) your name?", "(what can you do|how can you help me|what are you able to do|what are you good for|what do you do)(| for me| here)?", "help", "(tell me about|introduce|describe) yourself", "are you (a human|a robot|an AI|a person|ChatGPT|GPT-4|a language model|real)?", "(which|what) (model|language model|AI|assistant) are you?",
      "what (tools|functions|commands|skills|capabilities) do you have?", "how do you work?", "who (made|built|trained|created) you?", "help me", "what is (nacre|nacre-mini)?", "(how can i|how do i) use you?", "what is this?", "i need help", "(what kind of|which) tasks can you do?", "can you help me?", "are you nacre?"), IDENTITY),
    (("(bye|goodbye|good bye|see you|see you later|good night|that's all|that is all|see you tomorrow|i am done|done for today|ciao)( nacre|)",), "Goodbye!"),
    (("how are you(| today| doing)?", "how('s| is) it going?", "how do you do?", "are you (ok|okay|well|fine|there|ready|awake)?", "what's up?"), "I am ready. What can I do for you in this workspace?"),
    (("(ok|okay|alright|i see|understood|yes|no|fine|never mind|good|sure|hmm|stop|wait)",), "All right. What should I do next?"),
    (("(sorry|i am sorry|my mistake|oops)",), "No problem. What should I do next?"),
)

OUT_OF_SCOPE = (
    "what('s| is) the weather( like|)( today| in {l}| tomorrow| on {d}|)?", "will it (rain|snow) (today|tomorrow|on {d}|in {l})?", "(send|write) (an|a|) (email|e-mail|mail|message|text message|letter) to {p}( about {w}|)", "(book|reserve|find|buy) (a flight|a hotel|a table|a room|a train ticket|tickets|a taxi) (to|in|for) {l}( on {d}|)",
    "(order|buy) (a pizza|a {w}|food|groceries|some {w})( online| for me|)", "(play|sing) (some music|a song|my favourite song|the radio|a video)", "(tell|write) me a (joke|story|poem|riddle|fairy tale)( about (a |the |){w}|)", "(translate|say) {w} (to|into|in) (German|French|Spanish|Italian|Chinese|Japanese|Latin)",
    "(what is|what's|calculate|compute) {n} (times|plus|minus|divided by|x) {m}?", "what('s| is) the capital of (France|Spain|Peru|Japan|Kenya|Italy|Germany|Brazil)?", "who (is|was) (the president|the king|the chancellor|{p})( of France| of Germany|)?", "(call|phone|ring) {p}", "(set|create) (an alarm|a timer|a reminder|a calendar entry) for {m} (minutes|am|pm|o'clock)",
    "what('s| is) the (price|stock price|value) of (gold|bitcoin|{w}|Apple|the dollar)?", "(draw|paint|generate|make|create) (a picture|an image|a drawing|a logo|a photo|a painting) of (a|the) {w}", "(browse|search|surf) the (web|internet)( for {w}|)", "(open|visit|go to) (the website|www.){w}.com", "(google|bing) {w}", "what('s| is) the (latest news|news)( today| from {l}|)?",
    "how (do|can) i (cook|bake|make|repair) (a|the|) {w}?", "(recommend|suggest) (a|me a|some) (film|movie|book|restaurant|song|{w})", "(turn|switch) (on|off) the (light|lamp|tv|heating|radio|music)", "what (should|can) i (eat|wear|cook|do)( today| tonight| tomorrow|)?", "(who|which team) (won|will win) (the match|the game|the election|the world cup)?",
    "(transfer|send|pay) {n} (euros|dollars) to {p}", "(tweet|post) (about|that) {w}", "(explain|what is) (quantum physics|love|gravity|the meaning of life|relativity|democracy)( to me|)?", "(solve|prove) (this equation|x plus {m} equals {n}|the theorem)", "when (was|is) ({p} born|christmas|easter|the next holiday)?", "how (far|old) is (the moon|the sun|{l}|{p})?",
    "how do (i|you) (get|drive|go) to {l}?", "(take|make) a (photo|screenshot|selfie|video)", "(install|download) (windows|chrome|a game|an app|{w})", "(hack|break into) (the bank|{p}'s account|my neighbour's wifi|the server)", "(do you|can you) (love|like|hate) (me|{p}|{w})?", "what do you think (of|about) {w}?", "(schedule|arrange|cancel) (a|the) meeting with {p}( on {d}|)", "how much is {m} (percent|%) of {n}?", "(do|write) my homework", "(what's|what is) the (score|result) of the (game|match)?", "spell {w} backwards",
)

UNCLEAR = (
    (("(read|open|show|print|show me|display) (the|a|that|my) file", "read (it|that|something)", "(delete|remove|rename|copy|move) (it|the file|a file|something)", "how many lines does (it|the file) have?", "(edit|change) (it|the file|a file)"), "Which file do you mean? Please tell me its name."),
    (("(write|save|add|append) (something|it|this|that|some text)", "(create|make|write) (a|the|a new) file"), "What should I write, and to which file?"),
    (("(search|find|look for) (something|it|that)", "search(| something)"), "What should I search for?"),
    (("(run|execute|start) (it|something|the program|a program|the command|the script|a command)",), "Which program should I run?"),
    (("(remember|note) (this|that|it|something)", "take a note", "make a note"), "What should I note?"),
)
