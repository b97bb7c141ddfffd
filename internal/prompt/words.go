package prompt

// Words are common English words. Their token ids by the server's own
// tokenizer are ids that any prompt may hold: of plain text, none special.
const Words = "able about above across active actual after again against agent almost alone along already also always amount ancient " +
	"anchor angle animal answer apple april area argue around arrive article artist aside attack august author autumn average avoid " +
	"back balance band bank base basket battle beach beauty because become before begin behind believe below bench beside better " +
	"between beyond bird black blood blue board boat body bone book border both bottle bottom brain branch bread break bridge brief " +
	"bright bring broad brother brown build burn business butter button camera camp capital captain carbon care carry castle catch " +
	"center central century chain chair chance change chapter charge cheap check chest chief child choice church circle citizen city " +
	"class clean clear climb clock close cloth cloud coach coast coffee cold collect college color column come common company compare " +
	"complex concert consider contain control cook copper copy corner correct cost cotton council count country couple course cover " +
	"create credit crop cross crowd culture current custom dance danger dark daughter dead deal debate december decide deep degree " +
	"delay demand describe desert design detail develop device different dinner direct discover distance divide doctor dollar door " +
	"double draw dream dress drink drive during dust each early earth east easy edge effect effort eight either election else empty " +
	"energy engine enough enter entire equal escape even evening event ever every evidence exact example except exist expect explain " +
	"express extra face fact factor fair fall family famous farm father favor feature feed feel fence festival field fight figure " +
	"fill film final find fine finger finish fire first fish flat flight floor flow flower follow food foot force foreign forest " +
	"forget form forward found four frame free fresh friend front fruit full future game garden gate gather general gentle gift give " +
	"glass goal gold good govern grain grand grass great green ground group grow guard guess guide habit half hall hammer hand happen " +
	"happy harbor hard harvest head health hear heart heat heavy height help here high hill history hold home honest hope horse " +
	"hospital hotel hour house human hundred hunt husband idea image impact import improve include income increase indeed index " +
	"industry inside instead interest iron island issue item january join journal journey judge july jump june just keep kind king " +
	"kitchen know labor ladder lake land language large last late laugh lead leaf learn leave left legal lemon length lesson letter " +
	"level library life light like limit line lion list listen little live local logic long look lose loud love lower lucky lunch " +
	"machine main major make manner many march mark market master match matter meal mean measure medal meet member memory mention " +
	"metal method middle might mile milk mind mine minute mirror model modern moment money month moon more morning most mother motion " +
	"mountain mouth move much music must name narrow nation nature near need never next night nine noise north nothing notice number " +
	"object observe ocean october offer office often only open opinion option orange order other outside over owner page paint pair " +
	"paper parent park part party pass past path pattern peace pencil people perfect period person phone photo phrase piano picture " +
	"piece pilot place plain plan planet plant plate play please plenty pocket poem point police poor popular port position possible " +
	"power practice prepare present press pretty price print private problem process produce program promise proper protect proud " +
	"public pull pure push quality quarter queen question quick quiet quite race radio rain raise range rapid rate reach read ready " +
	"real reason receive record red region relate remain remember repeat reply report require rest result return rich ride right ring " +
	"rise river road rock role roof room root rose round route royal rule safe salt same sample sand save scale scene school science " +
	"score sea search season seat second secret section seed select send sense series serve seven several shade shape share sharp ship"
