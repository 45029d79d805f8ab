"""What watching found."""

TEXTS = {
    "Alerts, and what was last found": "Alarme und was zuletzt gefunden wurde",
    "Every check with its state, what was found last, what is tolerated, and what to do. Empty until the first evaluation. An alert is raised after several findings over its limit in a row, and cleared after several that are within.": "Jede Prüfung mit ihrem Zustand, dem letzten Befund, dem, was geduldet wird, und was zu tun ist. Leer bis zur ersten Auswertung. Ein Alarm wird nach mehreren Befunden hintereinander über der Grenze ausgelöst und nach mehreren innerhalb der Grenze aufgehoben.",
    "Every check, those that are raised first.": "Alle Prüfungen, ausgelöste Alarme zuerst.",
    "One check: its state, what was found last, and what to do. Figures that could not be told are left out.": "Eine Prüfung: ihr Zustand, der letzte Befund und was zu tun ist. Zahlen, die sich nicht bestimmen ließen, fehlen.",
    "Its stable name, such as volume or missing:employees.": "Ihr fester Name, etwa volume oder missing:employees.",
    "Since when it is raised, or is not; UTC.": "Seit wann der Alarm ausgelöst ist, oder seit wann nicht; UTC.",
    "True if the operator decided that it is never raised.": "Wahr, wenn der Betreiber entschieden hat, dass er nie ausgelöst wird.",
    "over: its whole interval lies outside of what is tolerated. untold: too little to tell.": "over: Das ganze Intervall liegt außerhalb dessen, was geduldet wird. untold: zu wenig für eine Aussage.",
    "Lower end of the interval of value.": "Unteres Ende des Intervalls von value.",
    "Upper end of the interval of value.": "Oberes Ende des Intervalls von value.",
    "Leads behind value.": "Leads, auf denen value beruht.",
    "Findings over the limit in a row.": "Befunde über der Grenze hintereinander.",
    "Findings within the limit in a row.": "Befunde innerhalb der Grenze hintereinander.",
    "What was found, in one sentence.": "Was gefunden wurde, in einem Satz.",
    "What to do if it is raised.": "Was zu tun ist, wenn er ausgelöst ist.",
    "Figures beside value, by name.": "Zahlen neben value, nach Namen.",
    "Every check, those that are raised first; empty until the first evaluation.": "Alle Prüfungen, ausgelöste Alarme zuerst; leer bis zur ersten Auswertung.",
    "When was last evaluated, UTC.": "Wann zuletzt ausgewertet wurde, UTC.",
}
