//! Message texts that look like a practice's: French words, so that the search index does its real work.

const WORDS: &[&str] = &[
    "bonjour",
    "maître",
    "contrat",
    "bail",
    "résiliation",
    "préavis",
    "locataire",
    "propriétaire",
    "loyer",
    "charges",
    "quittance",
    "huissier",
    "tribunal",
    "audience",
    "jugement",
    "appel",
    "délai",
    "recours",
    "assignation",
    "greffe",
    "pièce",
    "dossier",
    "copie",
    "signature",
    "notaire",
    "acte",
    "vente",
    "achat",
    "compromis",
    "garantie",
    "assurance",
    "sinistre",
    "expert",
    "rapport",
    "facture",
    "devis",
    "paiement",
    "virement",
    "échéance",
    "retard",
    "pénalité",
    "employeur",
    "salarié",
    "licenciement",
    "indemnité",
    "congé",
    "convention",
    "syndicat",
    "prud'hommes",
    "conseil",
    "divorce",
    "garde",
    "pension",
    "succession",
    "héritier",
    "testament",
    "donation",
    "partage",
    "tutelle",
    "mineur",
    "société",
    "statuts",
    "associé",
    "gérant",
    "capital",
    "bilan",
    "créance",
    "débiteur",
    "caution",
    "hypothèque",
    "merci",
    "demain",
    "lundi",
    "mardi",
    "matin",
    "soir",
    "rendez-vous",
    "téléphone",
    "courrier",
    "adresse",
    "réponse",
    "question",
    "avis",
    "accord",
    "refus",
    "urgent",
    "important",
    "joint",
    "ci-après",
    "veuillez",
    "transmettre",
];

/// An endless supply of texts, the same for the same seed.
pub(crate) struct Texts(u64);

impl Texts {
    /// Texts that differ from those of another seed.
    pub(crate) fn new(seed: u64) -> Texts {
        Texts(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A text of exactly `bytes` bytes (words, a number among them, filled up with dots).
    pub(crate) fn next(&mut self, bytes: usize) -> String {
        let mut text = format!("{} ", self.draw() % 100_000);
        loop {
            let word = WORDS[usize::try_from(self.draw() % WORDS.len() as u64).expect("it is an index")];
            if text.len() + word.len() > bytes {
                break;
            }
            text.push_str(word);
            text.push(' ');
        }
        text.truncate(text.trim_end().len());
        text.extend(std::iter::repeat_n('.', bytes.saturating_sub(text.len())));
        text
    }

    fn draw(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 11
    }
}
