"""What must stand on the page and in the data of an invoice, told from its rows by other code than the server's."""

import re

MONTHS = "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split()

# By kind of document: the code of the document (BT-3) and that of its process (BT-23).
CODES = {"deposit": ("386", "S1"), "credit": ("381", "S1"), "standard": ("380", "S1"), "final": ("380", "S4")}

# Why a line bears no VAT: the code in the data and the words on the page.
EXEMPT = {
    "disbursement": ("VATEX-EU-79-C", "Débours, CGI art. 267 II 2°"),
    "franchise": ("VATEX-FR-FRANCHISE", "TVA non applicable, art. 293 B du CGI"),
    "reverseCharge": ("VATEX-EU-AE", "Autoliquidation, CGI art. 283-2"),
    "outsideScope": ("VATEX-EU-O", "TVA non applicable, art. 259-1 du CGI"),
    "withoutVat": ("VATEX-EU-O", "TVA non applicable, art. 294, 1 du CGI"),
}

COPY = "Copie. L’original est transmis par la plateforme agréée."
STAMPS = ("SPÉCIMEN", "BROUILLON")


def plain(text):
    """Without any space: where lines break is the page's own affair."""
    return re.sub(r"[\s\u00a0\u202f]", "", text)


def euros(cents):
    return f"{'−' if cents < 0 else ''}{abs(cents) // 100},{abs(cents) % 100:02d}€"


def decimal(number, places):
    """A whole number of parts as it is written, without zeros at its end."""
    text = f"{number // 10**places},{number % 10**places:0{places}d}"
    return text.rstrip("0").rstrip(",")


def day(iso):
    year, month, number = (int(part) for part in iso.split("-"))
    return f"{'1er' if number == 1 else number}{MONTHS[month - 1]}{year}"


def net(line):
    return (line["quantity"] * line["unitPriceCents"] + 500) // 1000 - line["discountCents"]


def due(data):
    total = sum(group["baseCents"] + group["vatCents"] for group in data["totals"]["vatGroups"])
    return total - data["prepaidCents"]


def on_page(data):
    """Pieces of text that stand on the page one by one, without spaces."""
    credit = data["type"] == "credit"
    pieces = ["Date" + day(data["issuedOn"])]
    for line in data["lines"]:
        rate = "–" if line["vatCategory"] in EXEMPT else decimal(line["vatRateBp"], 2) + "%"
        row = decimal(line["quantity"], 3) + euros(line["unitPriceCents"]) + rate + euros(net(line))
        words = plain(line["description"])
        pieces += [row + words[:24], words[-12:]]
        if line["discountCents"]:
            pieces.append("Remise:" + euros(line["discountCents"]))
    for group in data["totals"]["vatGroups"]:
        base, vat = euros(group["baseCents"]), euros(group["vatCents"])
        if group["category"] in EXEMPT:
            pieces += [f"HorsTVA,sur{base}{vat}", plain(EXEMPT[group["category"]][1])]
        else:
            pieces.append(f"TVA{decimal(group['rateBp'], 2)}%sur{base}{vat}")
    pieces.append("TotalHT" + euros(sum(group["baseCents"] for group in data["totals"]["vatGroups"])))
    for earlier in data["preceding"]:
        if credit:
            pieces.append(f"Avoirsurlafacture{earlier['number']}du{day(earlier['issuedOn'])}")
        else:
            pieces.append(f"Acompte{earlier['number']}du{day(earlier['issuedOn'])}{euros(-earlier['totalCents'])}")
    pieces.append(("Àvotrecrédit" if credit else "Netàpayer") + euros(due(data)))
    if not credit:
        pieces += ["Échéance" + day(data["dueOn"]), "IBAN" + data["seller"]["iban"], "BIC" + data["seller"]["bic"]]
    pieces += sentences(data)
    return pieces


def sentences(data):
    seller, is_business = data["seller"], data["buyer"]["kind"] == "company"
    said = [f"conventiond’honorairesdu{day(seller['conventionDate'])}."]
    if is_business:
        said.append("Indemnitéforfaitairepourfraisderecouvrementencasderetard:40€")
        said.append(f"{decimal(seller['penaltyRateBp'], 2)}%(C.com.L441-10)")
    else:
        said.append(plain(seller["mediator"]["name"] + ", " + seller["mediator"]["contact"]))
    if seller["vatRegime"] == "debits":
        said.append("Optionpourlepaiementdelataxed’aprèslesdébits.")
    return said


def not_on_page(data):
    """Pieces that would say something untrue."""
    wrong = ["Médiateur"] if data["buyer"]["kind"] == "company" else ["40€(C.com", "L441-10"]
    stamp = "BROUILLON" if not data["number"] else "SPÉCIMEN" if data["isSpecimen"] else None
    return wrong + [other for other in STAMPS if other != stamp]


def stamps(data):
    return ["BROUILLON"] if not data["number"] else ["SPÉCIMEN"] if data["isSpecimen"] else []


def in_data(data):
    """Pieces of XML that must stand in it."""
    kind = "final" if data["type"] == "standard" and data["preceding"] else data["type"]
    code, process = CODES[kind]
    pieces = [
        f"</ram:ID><ram:TypeCode>{code}</ram:TypeCode>",
        f"<ram:BusinessProcessSpecifiedDocumentContextParameter><ram:ID>{process}</ram:ID>",
        f"<ram:DuePayableAmount>{due(data) / 100:.2f}</ram:DuePayableAmount>",
    ]
    for earlier in data["preceding"]:
        pieces.append(
            f"<ram:IssuerAssignedID>{earlier['number']}</ram:IssuerAssignedID><ram:FormattedIssueDateTime>"
            f'<qdt:DateTimeString format="102">{earlier["issuedOn"].replace("-", "")}</qdt:DateTimeString>'
        )
    if data["prepaidCents"]:
        pieces.append(f"<ram:TotalPrepaidAmount>{data['prepaidCents'] / 100:.2f}</ram:TotalPrepaidAmount>")
    for group in data["totals"]["vatGroups"]:
        if group["category"] in EXEMPT:
            pieces.append(EXEMPT[group["category"]][0])
    country = data["buyer"]["address"]["country"]
    business, french = data["buyer"]["kind"] == "company", country in ("FR", "GP", "MQ", "RE")
    bar = ("B2B" if french else "B2BINT") if business else "B2C"
    pieces.append(f"<ram:Content>{bar}</ram:Content><ram:SubjectCode>BAR</ram:SubjectCode>")
    return pieces
