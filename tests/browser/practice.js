/** A practice that may issue bills: all that the law asks of it. */
export const PRACTICE = {
  name: 'Cabinet Delorme & Associés', profession: 'avocat', legalForm: 'SELARL', shareCapitalCents: 2_000_000, rcs: 'Lyon',
  address: { line1: '12 rue de la République', postcode: '69002', city: 'Lyon', country: 'FR' },
  siren: '732829320', vatNumber: 'FR44732829320', vatRegime: 'collection', paymentTermDays: 30, penaltyRateBp: 1200, conventionDate: '2026-03-02',
  iban: 'FR7630006000011234567890189', bic: 'AGRIFRPP882',
  mediator: { name: 'Médiateur de la profession d’avocat', contact: 'mediateur-consommation-avocat.fr' },
};
