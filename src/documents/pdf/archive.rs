//! The file around the pages: PDF/A-3b (ISO 19005-3), with one file attached where there is one.
//!
//! All fonts are embedded as subsets, colours have their profile, the metadata is readable without a PDF library. The
//! same pages and the same words give the same bytes: dates come from the document, the identifier from its content.

use pdf_writer::types::{AssociationKind, CidFontType, FontFlags, OutputIntentSubtype, SystemInfo, UnicodeCmap};
use pdf_writer::{Date, Filter, Finish, Name, Pdf, Rect, Ref, Str, TextStr};
use sha2::{Digest, Sha256};

use crate::documents::pdf::picture::{Picture, Samples, deflated};
use crate::documents::pdf::sheet::{self, HEIGHT, Letters, Pages, Sheet, WIDTH};
use crate::documents::pdf::srgb;
use crate::documents::pdf::typeface::Weight;
use crate::model::day::Day;

/// What the file says of itself.
#[derive(Clone, Debug)]
pub struct Metadata<'a> {
    /// What it is.
    pub title: &'a str,
    /// Who made it.
    pub author: &'a str,
    /// The language of its text: `fr`.
    pub language: &'a str,
    /// Its date.
    pub day: Day,
}

/// A file within the file.
#[derive(Clone, Debug)]
pub struct Attached<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it is.
    pub description: &'a str,
    /// Its media type.
    pub mime_type: &'a str,
    /// Its bytes.
    pub data: &'a [u8],
    /// What of XMP tells of it: an `rdf:Description` or two.
    pub xmp: &'a str,
}

/// Hands out numbers of objects.
struct Numbers(i32);

impl Numbers {
    fn next(&mut self) -> Ref {
        self.0 += 1;
        Ref::new(self.0)
    }
}

/// Writes the pages as a file.
#[must_use]
pub fn write(sheet: Sheet, metadata: &Metadata<'_>, attached: Option<&Attached<'_>>) -> Vec<u8> {
    let Pages { contents: pages, letters, picture } = sheet.finish();
    let mut pdf = Pdf::new();
    pdf.set_version(1, 7);
    let mut numbers = Numbers(0);
    let (catalog_id, tree_id, xmp_id, icc_id) = (numbers.next(), numbers.next(), numbers.next(), numbers.next());
    let digest = identifier(&pages, metadata, attached);
    pdf.set_file_id((digest.clone(), digest));
    let fonts = letters.map(|(weight, letters)| (weight, font(&mut pdf, &mut numbers, weight, &letters)));
    let picture = picture.map(|picture| image(&mut pdf, &mut numbers, &picture));
    write_pages(&mut pdf, &mut numbers, tree_id, &pages, &fonts, picture);
    let xmp = xmp(metadata, attached.map_or("", |attached| attached.xmp));
    pdf.metadata(xmp_id, xmp.as_bytes());
    let icc = deflated(&srgb::profile());
    pdf.icc_profile(icc_id, &icc).n(3).filter(Filter::FlateDecode);
    let file_id = attached.map(|attached| embed(&mut pdf, &mut numbers, attached, metadata.day));
    let mut catalog = pdf.catalog(catalog_id);
    catalog.pages(tree_id).metadata(xmp_id).lang(TextStr(metadata.language));
    let mut intents = catalog.output_intents();
    let mut intent = intents.push();
    intent.subtype(OutputIntentSubtype::PDFA).output_condition_identifier(TextStr("sRGB"));
    intent.info(TextStr("sRGB IEC61966-2.1")).dest_output_profile(icc_id);
    intent.finish();
    intents.finish();
    if let (Some(file_id), Some(attached)) = (file_id, attached) {
        catalog.insert(Name(b"AF")).array().item(file_id);
        catalog.names().embedded_files().names().insert(Str(attached.name.as_bytes()), file_id);
    }
    catalog.finish();
    let info_id = numbers.next();
    let mut info = pdf.document_info(info_id);
    info.title(TextStr(metadata.title)).author(TextStr(metadata.author)).producer(TextStr("lexchat"));
    info.creation_date(date(metadata.day)).modified_date(date(metadata.day));
    info.finish();
    pdf.finish()
}

fn identifier(pages: &[Vec<u8>], metadata: &Metadata<'_>, attached: Option<&Attached<'_>>) -> Vec<u8> {
    let mut digest = Sha256::new();
    for part in [metadata.title, metadata.author, &metadata.day.to_string()] {
        digest.update(part.as_bytes());
        digest.update([0]);
    }
    for page in pages {
        digest.update(page);
    }
    digest.update(attached.map_or(&[][..], |attached| attached.data));
    digest.finalize()[..16].to_vec()
}

fn write_pages(
    pdf: &mut Pdf,
    numbers: &mut Numbers,
    tree_id: Ref,
    pages: &[Vec<u8>],
    fonts: &[(Weight, Option<Ref>); 2],
    picture: Option<Ref>,
) {
    let ids: Vec<(Ref, Ref)> = pages.iter().map(|_| (numbers.next(), numbers.next())).collect();
    let count = i32::try_from(pages.len()).unwrap_or(i32::MAX);
    pdf.pages(tree_id).kids(ids.iter().map(|(page_id, _)| *page_id)).count(count);
    for ((page_id, content_id), content) in ids.into_iter().zip(pages) {
        let mut page = pdf.page(page_id);
        page.parent(tree_id).media_box(Rect::new(0.0, 0.0, WIDTH, HEIGHT)).contents(content_id);
        let mut resources = page.resources();
        let mut names = resources.fonts();
        for (weight, font_id) in fonts {
            if let Some(font_id) = font_id {
                names.pair(sheet::font_name(*weight), *font_id);
            }
        }
        names.finish();
        if let Some(picture) = picture {
            resources.x_objects().pair(Name(b"P0"), picture);
        }
        resources.finish();
        page.finish();
        pdf.stream(content_id, &deflated(content)).filter(Filter::FlateDecode);
    }
}

/// Embeds the glyphs that are used. `None` where none are.
fn font(pdf: &mut Pdf, numbers: &mut Numbers, weight: Weight, letters: &Letters) -> Option<Ref> {
    if letters.meanings.is_empty() {
        return None;
    }
    let face = weight.typeface();
    let subset = subsetter::subset(face.data, 0, &letters.remapper).expect("the typefaces in the binary are sound");
    let name = format!("{}+{}", tag(&subset), face.name);
    let system = SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"Identity"), supplement: 0 };
    let [font_id, cid_id, descriptor_id, cmap_id, file_id] = [(); 5].map(|()| numbers.next());
    pdf.type0_font(font_id)
        .base_font(Name(name.as_bytes()))
        .encoding_predefined(Name(b"Identity-H"))
        .descendant_font(cid_id)
        .to_unicode(cmap_id);
    let mut cid = pdf.cid_font(cid_id);
    cid.subtype(CidFontType::Type2).base_font(Name(name.as_bytes())).system_info(system);
    cid.font_descriptor(descriptor_id).default_width(0.0).cid_to_gid_map_predefined(Name(b"Identity"));
    cid.widths().consecutive(0, letters.remapper.remapped_gids().map(|glyph| face.advance(glyph)));
    cid.finish();
    let ([left, bottom, right, top], ascent, descent, capital) = face.measures();
    pdf.font_descriptor(descriptor_id)
        .name(Name(name.as_bytes()))
        .flags(FontFlags::NON_SYMBOLIC)
        .bbox(Rect::new(left, bottom, right, top))
        .italic_angle(0.0)
        .ascent(ascent)
        .descent(descent)
        .cap_height(capital)
        .stem_v(if weight == Weight::Regular { 80.0 } else { 120.0 })
        .font_file2(file_id);
    let mut cmap = UnicodeCmap::new(Name(b"Custom"), system);
    for (glyph, meaning) in &letters.meanings {
        cmap.pair(*glyph, *meaning);
    }
    let cmap = deflated(&cmap.finish());
    pdf.cmap(cmap_id, &cmap).filter(Filter::FlateDecode);
    let packed = deflated(&subset);
    let mut file = pdf.stream(file_id, &packed);
    file.filter(Filter::FlateDecode);
    file.pair(Name(b"Length1"), i32::try_from(subset.len()).unwrap_or(i32::MAX));
    file.finish();
    Some(font_id)
}

/// Six capitals that name a subset.
fn tag(subset: &[u8]) -> String {
    Sha256::digest(subset).iter().take(6).map(|byte| char::from(b'A' + byte % 26)).collect()
}

fn image(pdf: &mut Pdf, numbers: &mut Numbers, picture: &Picture) -> Ref {
    let image_id = numbers.next();
    let mask_id = picture.alpha.as_ref().map(|_| numbers.next());
    let [width, height] = [picture.width, picture.height].map(|side| i32::try_from(side).unwrap_or(i32::MAX));
    let (data, filter, is_grey) = match &picture.samples {
        Samples::Jpeg(data, components) => (data, Filter::DctDecode, *components == 1),
        Samples::Rgb(data) => (data, Filter::FlateDecode, false),
    };
    let mut image = pdf.image_xobject(image_id, data);
    image.filter(filter);
    image.width(width).height(height).bits_per_component(8);
    if is_grey {
        image.color_space().device_gray()
    } else {
        image.color_space().device_rgb()
    };
    if let Some(mask_id) = mask_id {
        image.s_mask(mask_id);
    }
    image.finish();
    if let (Some(mask_id), Some(alpha)) = (mask_id, &picture.alpha) {
        let mut mask = pdf.image_xobject(mask_id, alpha);
        mask.filter(Filter::FlateDecode);
        mask.width(width).height(height).bits_per_component(8);
        mask.color_space().device_gray();
        mask.finish();
    }
    image_id
}

fn embed(pdf: &mut Pdf, numbers: &mut Numbers, attached: &Attached<'_>, day: Day) -> Ref {
    let (stream_id, file_id) = (numbers.next(), numbers.next());
    let packed = deflated(attached.data);
    let mut stream = pdf.embedded_file(stream_id, &packed);
    stream.filter(Filter::FlateDecode);
    stream.subtype(Name(attached.mime_type.as_bytes()));
    let size = i32::try_from(attached.data.len()).unwrap_or(i32::MAX);
    stream.params().size(size).modification_date(date(day));
    stream.finish();
    let mut spec = pdf.file_spec(file_id);
    spec.path(Str(attached.name.as_bytes())).unic_file(TextStr(attached.name));
    spec.description(TextStr(attached.description)).association_kind(AssociationKind::Alternative);
    spec.embedded_file_with_unicode(stream_id);
    spec.finish();
    file_id
}

fn date(day: Day) -> Date {
    let year = u16::try_from(day.year()).unwrap_or(0);
    Date::new(year)
        .month(day.month())
        .day(day.day())
        .hour(0)
        .minute(0)
        .second(0)
        .utc_offset_hour(0)
        .utc_offset_minute(0)
}

fn xmp(metadata: &Metadata<'_>, more: &str) -> String {
    let [title, author] = [metadata.title, metadata.author].map(escaped);
    let (day, language) = (metadata.day, metadata.language);
    format!(
        "<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n\
<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\n\
<rdf:Description rdf:about=\"\" xmlns:pdfaid=\"http://www.aiim.org/pdfa/ns/id/\">\
<pdfaid:part>3</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance></rdf:Description>\n\
<rdf:Description rdf:about=\"\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\">\
<dc:title><rdf:Alt><rdf:li xml:lang=\"x-default\">{title}</rdf:li></rdf:Alt></dc:title>\
<dc:creator><rdf:Seq><rdf:li>{author}</rdf:li></rdf:Seq></dc:creator>\
<dc:language><rdf:Bag><rdf:li>{language}</rdf:li></rdf:Bag></dc:language></rdf:Description>\n\
<rdf:Description rdf:about=\"\" xmlns:pdf=\"http://ns.adobe.com/pdf/1.3/\">\
<pdf:Producer>lexchat</pdf:Producer></rdf:Description>\n\
<rdf:Description rdf:about=\"\" xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\">\
<xmp:CreateDate>{day}T00:00:00Z</xmp:CreateDate>\
<xmp:ModifyDate>{day}T00:00:00Z</xmp:ModifyDate></rdf:Description>\n\
{more}</rdf:RDF></x:xmpmeta>\n<?xpacket end=\"r\"?>"
    )
}

/// A text as XML holds it: what XML has no way to hold is left out.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(' '),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {}
            other => escaped.push(other),
        }
    }
    escaped
}
