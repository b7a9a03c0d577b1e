"""Mistakes in what a customer is told: words of others, wrong orders, and texts that are more than texts."""

from tests.mutants.mistake import Mistake

TEMPLATE, FACTS, PASTED = "orders/answers/template.py", "orders/answers/facts.py", "orders/table/pasted_ids.py"
SELECTION, RECEIPT = "orders/bulk/selection.py", "orders/bulk/receipt.py"
TEMPLATES, SITUATIONS = "tests/orders/answers/test_templates.py", "tests/orders/answers/test_situations.py"
PAGES, TEXTS = "tests/orders/answers/test_answers_pages.py", "tests/orders/answers/test_text_pages.py"

MISTAKES = (
    Mistake(
        "a text says that there is a supplier", TEMPLATE,
        "if supplier := SUPPLIER.search(text):", 'if supplier := re.search("$^", text):', TEMPLATES,
    ),
    Mistake(
        "upstream’s own words get into a text", FACTS,
        '"asked": moment(task.asked_at if task else None),',
        '"asked": task.answer if task else "",', SITUATIONS,
    ),
    Mistake(
        "an unknown word of upstream’s is passed on", FACTS,
        'shown in SHOWN_STATUSES else "other"', 'shown in SHOWN_STATUSES else "processing"', SITUATIONS,
    ),
    Mistake(
        "a fact is read as a template", TEMPLATE,
        'return PLACEHOLDER.sub(lambda named: values.get(named[1], ""), OPTIONAL.sub(optional, template))',
        'return OPTIONAL.sub(optional, PLACEHOLDER.sub(lambda named: values.get(named[1], ""), template))', TEMPLATES,
    ),
    Mistake(
        "an answer is a formula", TEMPLATE,
        '"\\n".join(safe(line.strip()) for line in lines)', '"\\n".join(line.strip() for line in lines)', TEMPLATES,
    ),
    Mistake(
        "a fact that may be missing needs no brackets", TEMPLATE,
        "if name in allowed and not allowed[name].always", "if name not in allowed", TEMPLATES,
    ),
    Mistake(
        "answers come in another order than the message", PASTED,
        "sorted(named, key=words.places.__getitem__)", "sorted(named)", PAGES,
    ),
    Mistake(
        "a quantity is answered as an unknown order", PASTED,
        "{*words.numbers, *words.apart} - words.listed", "set[str]()", PAGES,
    ),
    Mistake(
        "a doubtful number is answered unticked", SELECTION,
        "for pk in (pks or [0]) if pk not in doubtful]", "for pk in (pks or [0])]", PAGES,
    ),
    Mistake(
        "a receipt forgets what was not found", RECEIPT,
        "[(word, pk) for word, pk in bulk.worklist.entries] if bulk.worklist else []",
        "[(word, pk) for word, pk in bulk.worklist.entries if pk] if bulk.worklist else []", PAGES,
    ),
    Mistake(
        "an answer stays as it was when its order moves on", "orders/answers/worklist.py",
        "return version_of(worklist.language, worklist.asked, worklist.changed, facts, texts)",
        "return version_of(worklist.language, worklist.asked, worklist.changed, texts)", PAGES,
    ),
    Mistake(
        "a text is written over a teammate’s", "orders/answers/edit.py",
        'if shown.text != saw.replace("\\r\\n", "\\n"):', "if False:", TEXTS,
    ),
    Mistake(
        "an operator edits texts", "orders/answers/edit.py",
        'require_allowed(by, "settings")', 'require_allowed(by, "place")', TEXTS,
    ),
    Mistake(
        "a refill that is only accepted is told as asked", FACTS,
        'return "refill_pending" if refill.outcome == Outcome.DONE else "refill_asked"', 'return "refill_asked"',
        SITUATIONS,
    ),
)  # fmt: skip
