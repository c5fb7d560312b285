"""Invented names. First names are common in the Netherlands; surnames, houses and foundations are put together here."""

from leerbudget.fictional.dice import Dice


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FIRST_NAMES = _words(
    "Aaltje Abel Ahmed Aisha Anneke Annelies Arjan Astrid Bas Bianca Bram Carla Casper Chantal Cor Daan Dewi Dirk "
    "Edwin Elif Ellen Els Emma Erik Esra Eva Fatima Femke Ferry Floor Frank Geert Gerda Gijs Hanneke Hans Harm Hatice "
    "Henk Hilde Ilse Imane Ine Inge Iris Jan Janneke Jasper Jeroen Joke Jolanda Joost Joris Julia Karim Karin Kees Kim "
    "Klaas Lars Latifa Leo Lieke Lies Linda Lotte Luuk Maaike Maarten Marga Marieke Marion Mark Martijn Mehmet Mieke "
    "Mirjam Monique Nadia Nel Niels Nienke Noor Omar Paul Petra Piet Rachid Ria Rob Roel Ruben Ruth Sander Sanne Saskia "
    "Shanti Simone Sjoerd Stefan Stijn Tamara Teun Theo Thijs Tineke Tom Truus Wendy Wesley Willem Wim Wouter Yasmin "
    "Yvonne Zeynep"
)
_SURNAME_STARTS = _words(
    "Appel Berken Beuk Biezen Dennen Distel Eiken Elzen Hazel Heide Hulst Iepen Kamper Klaver Kroos Laren Linden "
    "Meidoorn Mos Olmen Populier Riet Rogge Sleedoorn Sparren Tarwe Varen Vlier Vonder Wilgen Zegge Zilver"
)
_SURNAME_ENDS = _words("akker beek berg brink broek dam dijk hof horst kamp laan man meer stra veld voort waard")
_HOUSES = _words(
    "Appelhof Bijenkorf Boei Boomhut Brug Duif Egel Fakkel Fontein Haard Haven Horizon Kajuit Kiem Kompas Kring "
    "Kroon Lantaarn Linde Luifel Molen Olijfboom Oever Parachute Poort Regenboog Rank Schakel Schelp Sleutel Spil "
    "Toren Uitkijk Veerpont Vlieger Vuurtoren Waaier Wegwijzer Werf Wissel Zonnewijzer"
)
_VENUE_KINDS = (
    "Buurthuis",
    "Wijkcentrum",
    "Dorpshuis",
    "Bibliotheek",
    "Ontmoetingscentrum",
    "Kulturhus",
    "Zalencentrum",
)


def fictional(name: str) -> str:
    """The name with the mark that it is invented."""
    return f"{name} (fictief)"


def person(dice: Dice) -> tuple[str, str]:
    """A first name and a surname that is put together from two words."""
    return dice.pick(FIRST_NAMES), dice.pick(_SURNAME_STARTS) + dice.pick(_SURNAME_ENDS)


def venue(dice: Dice, place: str) -> str:
    """A house where people could meet."""
    return fictional(f"{dice.pick(_VENUE_KINDS)} De {dice.pick(_HOUSES)}, {place}")


def houses(dice: Dice) -> list[str]:
    """House names in random order, each once, for organisations: they must differ."""
    return dice.shuffled(_HOUSES)


def address(first_name: str, ref: str, at: str) -> str:
    """An e-mail address that can never exist: `.example` is reserved (RFC 2606)."""
    return f"{first_name}.{ref}@{at}.fictief.example".lower()
