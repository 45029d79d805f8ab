"""What every resource shares: errors, languages, the model's name, health."""

TEXTS = {
    "One lead, one honest probability, one explanation that marketing and sales both read. Every error is problem details (RFC 9457) with every fault of the request. Send Accept-Language: de or en to choose the language of messages.": "Ein Lead, eine ehrliche Wahrscheinlichkeit, eine Erklärung, die Marketing und Vertrieb beide lesen. Jeder Fehler kommt als Problemdetails (RFC 9457) mit allen Fehlern der Anfrage. Accept-Language: de oder en wählt die Sprache der Meldungen.",
    "The client's key.": "Der Schlüssel des Clients.",
    "The same key, as Authorization: Bearer KEY.": "Derselbe Schlüssel, als Authorization: Bearer SCHLÜSSEL.",
    "A text in English and in German.": "Ein Text auf Englisch und auf Deutsch.",
    "What went wrong (RFC 9457), in the language that Accept-Language asks for, with every fault of the request.": "Was schiefging (RFC 9457), in der Sprache, die Accept-Language verlangt, mit allen Fehlern der Anfrage.",
    "All faults found; more than listed if there are very many.": "Alle gefundenen Fehler; mehr als aufgeführt, wenn es sehr viele sind.",
    "One fault of a request.": "Ein Fehler einer Anfrage.",
    "Its place, such as fields.employees or leads[3].lead_id.": "Seine Stelle, etwa fields.employees oder leads[3].lead_id.",
    "The definition's field, where it is about one.": "Das Feld der Definition, wenn es um eines geht.",
    "The value found, shortened; empty if nothing was found.": "Der gefundene Wert, gekürzt; leer, wenn nichts gefunden wurde.",
    "A stable name for programs.": "Ein fester Name für Programme.",
    "Whether the process answers": "Ob der Prozess antwortet",
    "Says that the process lives; it asks neither the model nor the store.": "Sagt, dass der Prozess lebt; fragt weder das Modell noch den Speicher.",
    "It does.": "Er antwortet.",
    "The process answers.": "Der Prozess antwortet.",
    "Whether leads can be scored now": "Ob Leads jetzt bewertet werden können",
    "Says that model and store are ready, or everything that they are waiting for. The reasons in full, with names of files and servers, are for callers with a key and on the machine itself.": "Sagt, dass Modell und Speicher bereit sind, oder alles, worauf sie warten. Die Gründe in voller Länge, mit Namen von Dateien und Servern, bekommt, wer einen Schlüssel hat oder auf dem Rechner selbst fragt.",
    "Model and store are ready.": "Modell und Speicher sind bereit.",
}
