"""What each figure is called and what it counts, for marketing and sales. docs/en/kpis.md says why."""

from __future__ import annotations

from dataclasses import dataclass

from features.text import Text

GARTNER = Text("Gartner: 44 % of MQLs pass sales as a good fit", "Gartner: 44 % der MQLs hält der Vertrieb für passend")
NOT_STATED = Text("Not stated", "Keine Angabe")
TOTAL = Text("All leads", "Alle Leads")


@dataclass(frozen=True, slots=True)
class About:
    """A figure's label and definition."""

    label: Text
    text: Text
    matured_only: bool = False


STEPS = {
    "scored": Text("Leads scored", "Bewertete Leads"),
    "handed_over": Text("Handed over", "Übergeben"),
    "contacted": Text("Contacted", "Kontaktiert"),
    "accepted": Text("Accepted by sales", "Vom Vertrieb angenommen"),
    "won": Text("Won", "Gewonnen"),
}

FIGURES = {
    "handed_over": About(
        Text("Share handed over", "Anteil übergeben"),
        Text(
            "Of the leads first scored in the period, those handed over to sales since, by this or a later score.",
            "Von den im Zeitraum erstmals bewerteten Leads die seither, durch diesen oder einen späteren Score, an "
            "den Vertrieb übergebenen.",
        ),
    ),
    "contacted": About(
        Text("Contacted, of those handed over", "Kontaktiert, von den übergebenen"),
        Text(
            "Of the leads first scored in the period and handed over, those contacted, however late. Leads whose "
            "agreed hours are not over are left out: they can still be contacted in time.",
            "Von den im Zeitraum erstmals bewerteten und übergebenen Leads die kontaktierten, wie spät auch immer. "
            "Leads, deren vereinbarte Stunden noch laufen, bleiben außen vor: Sie können noch rechtzeitig "
            "kontaktiert werden.",
        ),
    ),
    "contacted_of_all": About(
        Text("Contacted, of all leads", "Kontaktiert, von allen Leads"),
        Text(
            "Of the leads first scored in the period, those handed over and contacted. Leads handed over whose "
            "agreed hours are not over are left out.",
            "Von den im Zeitraum erstmals bewerteten Leads die übergebenen und kontaktierten. Übergebene Leads, "
            "deren vereinbarte Stunden noch laufen, bleiben außen vor.",
        ),
    ),
    "accepted": About(
        Text("Accepted, of those contacted", "Angenommen, von den kontaktierten"),
        Text(
            "Of the leads first scored in the period, handed over and contacted, those that sales accepted. A lead "
            "without a verdict counts as not accepted. Leads whose agreed hours are not over are left out.",
            "Von den im Zeitraum erstmals bewerteten, übergebenen und kontaktierten Leads die vom Vertrieb "
            "angenommenen. Ein Lead ohne Urteil zählt als nicht angenommen. Leads, deren vereinbarte Stunden noch "
            "laufen, bleiben außen vor.",
        ),
    ),
    "accepted_of_all": About(
        Text("Accepted, of all leads", "Angenommen, von allen Leads"),
        Text(
            "Of the leads first scored in the period, those handed over and accepted by sales, contacted or not. "
            "Leads handed over whose agreed hours are not over are left out.",
            "Von den im Zeitraum erstmals bewerteten Leads die übergebenen und vom Vertrieb angenommenen, "
            "kontaktiert oder nicht. Übergebene Leads, deren vereinbarte Stunden noch laufen, bleiben außen vor.",
        ),
    ),
    "won": About(
        Text("Won, of those accepted", "Gewonnen, von den angenommenen"),
        Text(
            "Of the leads first scored in the period and accepted, those won within the horizon after the as-of date "
            "of their first score. Only leads whose horizon is over, whatever became of them; a later win does not "
            "count.",
            "Von den im Zeitraum erstmals bewerteten und angenommenen Leads die innerhalb des Horizonts nach dem "
            "Stichtag des ersten Scores gewonnenen. Nur Leads, deren Horizont vorbei ist, was auch aus ihnen wurde; "
            "ein späterer Gewinn zählt nicht.",
        ),
        matured_only=True,
    ),
    "won_of_all": About(
        Text("Won, of all leads", "Gewonnen, von allen Leads"),
        Text(
            "Of the leads first scored in the period, handed over or not, those won within the horizon after the "
            "as-of date of their first score. Only leads whose horizon is over, whatever became of them: the quick "
            "wins of younger leads would bend the rate upwards. Leads closed before they were scored are left out.",
            "Von den im Zeitraum erstmals bewerteten Leads, übergeben oder nicht, die innerhalb des Horizonts nach "
            "dem Stichtag des ersten Scores gewonnenen. Nur Leads, deren Horizont vorbei ist, was auch aus ihnen "
            "wurde: Die schnellen Gewinne jüngerer Leads würden die Quote nach oben verzerren. Vor der Bewertung "
            "abgeschlossene Leads bleiben außen vor.",
        ),
        matured_only=True,
    ),
    "predicted": About(
        Text("Predicted", "Vorhergesagt"),
        Text(
            "The mean probability in the first scores of the same leads that the win rate is about.",
            "Die mittlere Wahrscheinlichkeit in den ersten Scores derselben Leads, um die es bei der Gewinnquote geht.",
        ),
        matured_only=True,
    ),
    "observed_to_expected": About(
        Text("Wins observed to expected", "Gewinne, beobachtet zu erwartet"),
        Text(
            "Wins within the horizon, divided by the sum of the probabilities in the first scores of the same leads. "
            "1 is right; above 1 more was won than predicted. Only leads whose horizon is over.",
            "Gewinne innerhalb des Horizonts, geteilt durch die Summe der Wahrscheinlichkeiten in den ersten Scores "
            "derselben Leads. 1 ist richtig; über 1 wurde mehr gewonnen als vorhergesagt. Nur Leads, deren Horizont "
            "vorbei ist.",
        ),
        matured_only=True,
    ),
    "in_time": About(
        Text("Contacted in time", "Rechtzeitig kontaktiert"),
        Text(
            "Of the leads handed over in the period, those contacted within the hours agreed for their grade at "
            "handover. Leads whose hours are not over are left out, and grades without agreed hours. A lead rejected "
            "without a contact counts as not contacted.",
            "Von den im Zeitraum übergebenen Leads die innerhalb der Stunden kontaktierten, die für ihre Klasse bei "
            "der Übergabe vereinbart sind. Leads, deren Stunden noch laufen, bleiben außen vor, ebenso Klassen ohne "
            "vereinbarte Stunden. Ein ohne Kontakt abgelehnter Lead zählt als nicht kontaktiert.",
        ),
    ),
    "median_hours": About(
        Text("Hours to first contact, median", "Stunden bis zum Erstkontakt, Median"),
        Text(
            "Half of the leads handed over in the period are contacted within so many hours. Leads that still wait "
            "count for as long as they have waited (Kaplan-Meier), so no slow lead is left out; the hours go on at "
            "night and at weekends. No value while fewer than half are contacted.",
            "Die Hälfte der im Zeitraum übergebenen Leads wird innerhalb so vieler Stunden kontaktiert. Noch "
            "wartende Leads zählen so lange, wie sie schon warten (Kaplan-Meier), es fehlt also kein langsamer; die "
            "Stunden laufen auch nachts und am Wochenende. Kein Wert, solange weniger als die Hälfte kontaktiert "
            "ist.",
        ),
    ),
    "overdue": About(
        Text("Overdue now", "Jetzt überfällig"),
        Text(
            "Leads handed over in the period whose agreed hours are over and that still wait: no first contact, no "
            "verdict, neither won nor lost.",
            "Im Zeitraum übergebene Leads, deren vereinbarte Stunden vorbei sind und die noch warten: kein "
            "Erstkontakt, kein Urteil, weder gewonnen noch verloren.",
        ),
    ),
    "acceptance": About(
        Text("Acceptance by sales", "Annahme durch den Vertrieb"),
        Text(
            "Of the leads handed over in the period that sales gave a verdict on, those accepted; the latest verdict "
            "counts. Leads without a verdict are left out; their share is given beside it.",
            "Von den im Zeitraum übergebenen Leads mit einem Urteil des Vertriebs die angenommenen; das neueste "
            "Urteil zählt. Leads ohne Urteil bleiben außen vor; ihr Anteil steht daneben.",
        ),
    ),
    "without_verdict": About(
        Text("Without a verdict", "Ohne Urteil"),
        Text(
            "Of the leads handed over in the period whose agreed hours are over, those that sales has given no "
            "verdict on.",
            "Von den im Zeitraum übergebenen Leads, deren vereinbarte Stunden vorbei sind, die ohne Urteil des "
            "Vertriebs.",
        ),
    ),
    "rejection": About(
        Text("Share of rejections", "Anteil an den Ablehnungen"),
        Text(
            "Of the leads handed over in the period and rejected, those rejected for this reason; the latest verdict "
            "counts.",
            "Von den im Zeitraum übergebenen und abgelehnten Leads die aus diesem Grund abgelehnten; das neueste "
            "Urteil zählt.",
        ),
    ),
}


def rest_label(n_groups: int) -> Text:
    """What the groups that are not on the page are called together."""
    return Text(f"{n_groups} others", f"{n_groups} weitere")
