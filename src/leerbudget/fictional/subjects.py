"""What courses are about and what parents say they want: invented Dutch texts and the figures behind each theme."""

from collections.abc import Mapping
from dataclasses import dataclass, field

Audience = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Subject:
    """One theme of requirements 4.1.

    `weight` is its share of all wishes [guess], multiplied by the factors that fit the family:
    `by_type`, `by_care` and `by_child` (a factor of 0: never; absent: 1).
    """

    theme: str
    weight: float
    titles: tuple[str, ...]
    goal: str
    situation: str
    wants: str
    audience: Audience = field(default_factory=dict)
    by_type: Mapping[str, float] = field(default_factory=dict)
    by_care: Mapping[str, float] = field(default_factory=dict)
    by_child: Mapping[str, float] = field(default_factory=dict)
    years_least: float = 0.0


SUBJECTS: tuple[Subject, ...] = (
    Subject(
        theme="attachment",
        weight=0.11,
        titles=("Hechting begrijpen", "Veilig dichtbij", "Nabij zijn zonder woorden"),
        goal="U herkent wat een kind nodig heeft om zich veilig te voelen en u oefent daarmee thuis.",
        situation="Ons pleegkind kruipt bij iedereen op schoot, maar troosten mag niet.",
        wants="Ik wil weten hoe ik rustig dichtbij kan blijven.",
        by_child={"a0_3": 2.0, "a4_8": 1.5, "a12_15": 0.6, "a16_17": 0.4, "a18_20": 0.3},
    ),
    Subject(
        theme="trauma",
        weight=0.13,
        titles=("Na een moeilijke start", "Als het verleden meeleeft", "Rust en veiligheid in huis"),
        goal="U ziet welke gevoelens achter gedrag zitten en u helpt een kind weer rustig te worden.",
        situation="Bij harde geluiden verstopt ons pleegkind zich.",
        wants="Ik wil een kind kunnen helpen dat ineens heel bang is.",
    ),
    Subject(
        theme="behaviour",
        weight=0.13,
        titles=("Druk, boos of stil", "Grenzen met warmte", "Wat zegt dit gedrag?"),
        goal="U oefent met korte, duidelijke reacties die een ruzie kleiner maken.",
        situation="Het eten eindigt bijna elke dag in ruzie.",
        wants="Ik wil grenzen stellen zonder dat het knalt.",
        by_child={"a4_8": 1.3, "a9_11": 1.3, "a12_15": 1.2},
    ),
    Subject(
        theme="birth_parents",
        weight=0.10,
        titles=("Bezoek dat goed verloopt", "Twee families, één kind", "Samen met de ouders"),
        goal="U bereidt een bezoek voor en praat met ouders over wat het kind nodig heeft.",
        situation="Na elk bezoek slaapt ons pleegkind een paar nachten slecht.",
        wants="Ik wil bezoeken beter voorbereiden, samen met de ouders.",
        by_type={"kinship": 1.3, "kinship_grandparent": 1.4},
    ),
    Subject(
        theme="adolescence",
        weight=0.11,
        titles=("Pubers in pleegzorg", "Tussen loslaten en vasthouden", "Online, uit en thuis"),
        goal="U praat met een tiener over vrijheid, vrienden en het internet, en u blijft in gesprek.",
        situation="Onze puber zit de hele nacht op de telefoon.",
        wants="Ik wil afspraken maken die ook werken.",
        audience={"child_age_bands": {"a12_15": "for", "a16_17": "for", "a0_3": "not_for", "a4_8": "not_for"}},
        by_child={"a0_3": 0.0, "a4_8": 0.0, "a9_11": 0.7, "a12_15": 2.2, "a16_17": 1.6, "a18_20": 0.6},
    ),
    Subject(
        theme="transition_16plus",
        weight=0.06,
        titles=("Bijna achttien", "Stap voor stap zelfstandig", "Geld, wonen en werk na achttien"),
        goal="U maakt met een jongere een plan voor geld, wonen en steun na de achttiende verjaardag.",
        situation="Over een jaar wordt ons pleegkind achttien en er is nog niets geregeld.",
        wants="Ik wil weten wat er kan en wie waarbij helpt.",
        audience={"child_age_bands": {"a16_17": "for", "a18_20": "for", "a0_3": "not_for", "a4_8": "not_for"}},
        by_child={"a0_3": 0.0, "a4_8": 0.0, "a9_11": 0.0, "a12_15": 0.8, "a16_17": 4.0, "a18_20": 4.0},
    ),
    Subject(
        theme="grief_loss",
        weight=0.05,
        titles=("Missen mag", "Verdriet van kinderen", "Ruimte voor rouw"),
        goal="U helpt een kind dat iemand mist, ook als het daar niet over praat.",
        situation="Rond verjaardagen wordt ons pleegkind heel stil.",
        wants="Ik wil over gemis kunnen praten op de maat van een kind.",
    ),
    Subject(
        theme="disability_neurodiversity",
        weight=0.08,
        titles=("Anders leren, anders denken", "Duidelijk en voorspelbaar", "Prikkels in balans"),
        goal="U past dagritme en taal aan voor een kind dat anders leert of snel vol zit.",
        situation="Op school gaat het goed, thuis loopt alles over.",
        wants="Ik wil de dag rustiger maken.",
    ),
    Subject(
        theme="play_school_development",
        weight=0.06,
        titles=("Spelen is leren", "Samen met school", "Groeien in kleine stappen"),
        goal="U volgt wat een kind al kan en kiest spel en steun die daarbij passen.",
        situation="Ons pleegkind wil niet naar school.",
        wants="Ik wil samen met de juf een plan maken.",
        audience={"child_age_bands": {"a4_8": "for", "a9_11": "for", "a16_17": "not_for", "a18_20": "not_for"}},
        by_child={"a0_3": 1.6, "a4_8": 2.0, "a9_11": 1.6, "a12_15": 0.3, "a16_17": 0.0, "a18_20": 0.0},
    ),
    Subject(
        theme="law_and_system",
        weight=0.06,
        titles=("Wie beslist wat?", "Uw rechten als pleegouder", "Wegwijs in de jeugdhulp"),
        goal="U weet wie welk besluit neemt en hoe u uw stem laat horen.",
        situation="We hoorden pas achteraf dat er een besluit was genomen.",
        wants="Ik wil weten wat wij mogen vragen en zeggen.",
        audience={"experience": {"lt1": "for"}},
    ),
    Subject(
        theme="collaboration_assertiveness",
        weight=0.07,
        titles=("Samen aan tafel", "Zeggen wat u nodig hebt", "In gesprek met elkaar"),
        goal="U oefent hoe u rustig zegt wat u ziet, wat u voelt en wat u vraagt.",
        situation="In overleggen kom ik vaak niet aan het woord.",
        wants="Ik wil mijn mening rustig kunnen geven.",
    ),
    Subject(
        theme="self_care",
        weight=0.07,
        titles=("Volhouden met plezier", "Tijd voor uzelf", "Opladen"),
        goal="U merkt op tijd dat het veel wordt en u maakt een plan om op te laden.",
        situation="We zijn moe en hebben weinig tijd samen.",
        wants="Ik wil leren hoe we dit volhouden.",
        by_type={"kinship_grandparent": 1.5},
    ),
    Subject(
        theme="kinship_care",
        weight=0.07,
        titles=("Oma en opvoeder", "Pleegzorg in de familie", "Nieuwe rollen in één familie"),
        goal="U praat over de plekken in de familie die zijn veranderd en over wat u daarin wilt.",
        situation="Mijn dochter is nu ook de moeder op bezoek.",
        wants="Ik wil oma blijven en toch opvoeden.",
        audience={"family_type": {"kinship": "for", "kinship_grandparent": "for", "recruited": "not_for"}},
        by_type={"recruited": 0.0, "kinship": 1.6, "kinship_grandparent": 3.2},
    ),
    Subject(
        theme="crisis_part_time",
        weight=0.06,
        titles=("De eerste nachten", "Welkom voor korte tijd", "Weekendgezin zijn"),
        goal="U geeft een kind dat maar kort blijft rust en een duidelijk begin en einde.",
        situation="Vrijdagavond komt er een kind dat we niet kennen.",
        wants="Ik wil weten wat een kind de eerste uren nodig heeft.",
        audience={"care_forms": {"crisis": "for", "part_time": "for"}},
        by_care={"full_time_long": 0.15, "full_time_temporary": 0.4, "part_time": 3.0, "crisis": 4.0},
    ),
    Subject(
        theme="endings",
        weight=0.03,
        titles=("Goed afscheid nemen", "Terug naar huis", "Als een plaatsing eindigt"),
        goal="U maakt samen met het kind een afscheid dat recht doet aan de tijd bij u.",
        situation="Na drie jaar gaat ons pleegkind terug naar de ouders.",
        wants="Ik wil dit voor iedereen goed afronden.",
    ),
    Subject(
        theme="training_others",
        weight=0.03,
        titles=("Van pleegouder tot trainer", "Voor de groep", "Uw ervaring doorgeven"),
        goal="U leert een groep pleegouders te begeleiden met uw eigen ervaring.",
        situation="Andere pleegouders vragen mij vaak om raad.",
        wants="Ik wil zelf een groep leren begeleiden.",
        audience={"experience": {"gt10": "for", "lt1": "not_for"}},
        years_least=5.0,
    ),
)
BY_THEME: Mapping[str, Subject] = {subject.theme: subject for subject in SUBJECTS}

DIALOGUE_THEMES: Mapping[str, float] = {"collaboration_assertiveness": 0.6, "birth_parents": 0.2, "law_and_system": 0.2}
"""What the three parties talk about [guess after the dialogues of 2018]."""

FORM_WORDS: Mapping[str, str] = {
    "group_training": "training",
    "theme_meeting": "themabijeenkomst",
    "webinar": "webinar",
    "peer_intervision": "intervisie",
    "local_development": "lokale bijeenkomst",
    "joint_parents": "samen met ouders",
    "train_the_trainer": "train-de-trainer",
    "dialogue": "dialoog",
}
"""How a form is called behind the title of a course."""
