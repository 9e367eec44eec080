use super::*;
use crate::model::party::tests::{company, person, practice};

fn line(quantity: i64, price: i64, discount: i64, rate: u16, kind: LineKind) -> Line {
    Line {
        description: "Honoraires".to_owned(),
        quantity,
        unit_price_cents: Cents(price),
        discount_cents: Cents(discount),
        vat_rate_bp: VatRate::try_from(rate).unwrap(),
        kind,
        vat_category: if rate == 0 { VatCategory::Disbursement } else { VatCategory::Standard },
    }
}

#[test]
fn a_lines_net_is_rounded_half_up_before_the_discount() {
    assert_eq!(line(1_500, 20_001, 0, 2_000, LineKind::Fee).net(), Cents(30_002), "1.5 × 200.01 = 300.015");
    assert_eq!(line(333, 100, 3, 2_000, LineKind::Fee).net(), Cents(30));
    assert_eq!(line(1, 1, 0, 2_000, LineKind::Fee).net(), Cents(0));
}

#[test]
fn vat_is_rounded_once_per_rate_on_the_summed_base() {
    let lines = [
        line(1_000, 33, 0, 2_000, LineKind::Fee),
        line(1_000, 33, 0, 2_000, LineKind::Fee),
        line(1_000, 33, 0, 2_000, LineKind::Expense),
        line(1_000, 1_000, 0, 0, LineKind::Disbursement),
        line(1_000, 9, 0, 550, LineKind::Fee),
    ];
    let totals = Totals::of(&lines);
    let groups: Vec<_> =
        totals.vat_groups.iter().map(|g| (g.rate_bp.basis_points(), g.base_cents.0, g.vat_cents.0)).collect();
    assert_eq!(groups, [(2_000, 99, 20), (550, 9, 0), (0, 1_000, 0)], "20 % of 99 is 19.8, not 3 × 7");
    assert_eq!((totals.net(), totals.vat(), totals.total()), (Cents(1_108), Cents(20), Cents(1_128)));
}

#[test]
fn the_category_follows_from_the_parties_and_the_line() {
    let derive = |practice: &Practice, buyer: &Buyer, kind, rate| {
        VatCategory::derive(practice, buyer, kind, VatRate::try_from(rate).unwrap())
    };
    let (home, franchise) = (practice(), Practice { vat_regime: VatRegime::Franchise, ..practice() });
    let (german, swiss) = (company("DE", Some("DE123456789")), company("CH", Some("CHE123456789")));
    let german_without = company("DE", None);
    for (practice, buyer, kind, rate, result) in [
        (&home, &person(), LineKind::Fee, 2_000, Ok(VatCategory::Standard)),
        (&home, &person(), LineKind::Fee, 0, Err(VatMisfit::ZeroWithoutReason)),
        (&home, &person(), LineKind::Disbursement, 0, Ok(VatCategory::Disbursement)),
        (&home, &person(), LineKind::Disbursement, 2_000, Err(VatMisfit::MustBeZero(VatCategory::Disbursement))),
        (&franchise, &person(), LineKind::Fee, 0, Ok(VatCategory::Franchise)),
        (&franchise, &person(), LineKind::Fee, 550, Err(VatMisfit::MustBeZero(VatCategory::Franchise))),
        (&home, &german, LineKind::Fee, 0, Ok(VatCategory::ReverseCharge)),
        (&home, &german_without, LineKind::Fee, 2_000, Ok(VatCategory::Standard)),
        (&home, &swiss, LineKind::Fee, 0, Ok(VatCategory::OutsideScope)),
        (&home, &swiss, LineKind::Disbursement, 0, Ok(VatCategory::OutsideScope)),
        (&franchise, &swiss, LineKind::Fee, 0, Ok(VatCategory::OutsideScope)),
    ] {
        assert_eq!(derive(practice, buyer, kind, rate), result, "{kind:?} at {rate} for {buyer:?}");
    }
}

#[test]
fn a_business_in_monaco_or_overseas_is_billed_by_the_law_of_its_place() {
    let home = practice();
    let there = Practice { address: company("RE", None).address, ..practice() };
    let derive = |practice: &Practice, buyer: &Buyer, rate| {
        VatCategory::derive(practice, buyer, LineKind::Fee, VatRate::try_from(rate).unwrap())
    };
    let (standard, at_home, overseas) = (
        Ok(VatCategory::Standard),
        Err(VatMisfit::NotInForce { overseas: false }),
        Err(VatMisfit::NotInForce { overseas: true }),
    );
    for (country, rate, result) in [
        ("MC", 2_000, standard),
        ("MC", 850, at_home),
        ("MC", 0, Err(VatMisfit::ZeroWithoutReason)),
        ("GP", 850, standard),
        ("MQ", 210, standard),
        ("RE", 2_000, overseas),
        ("RE", 0, Err(VatMisfit::ZeroWithoutReason)),
        ("GF", 0, Ok(VatCategory::WithoutVat)),
        ("YT", 2_000, Err(VatMisfit::MustBeZero(VatCategory::WithoutVat))),
        ("PF", 0, Ok(VatCategory::OutsideScope)),
        ("FR", 850, at_home),
    ] {
        assert_eq!(derive(&home, &company(country, None), rate), result, "{country} at {rate}");
    }
    // What is given to a person is given where the practice is.
    assert_eq!(derive(&there, &person(), 850), standard);
    assert_eq!(derive(&there, &person(), 2_000), overseas);
    assert_eq!(derive(&there, &company("FR", None), 2_000), standard);
    assert_eq!(derive(&home, &company("MC", Some("FR34000123456")), 0), Err(VatMisfit::ZeroWithoutReason));
    for category in [VatCategory::OutsideScope, VatCategory::WithoutVat] {
        assert!(category.is_outside() && category.code() == "O");
    }
}

#[test]
fn the_rates_are_those_in_force() {
    for rate in [2_000, 1_000, 850, 550, 210, 0] {
        assert_eq!(VatRate::try_from(rate).map(u16::from), Ok(rate));
    }
    assert_eq!(VatRate::try_from(1_960), Err(NotAVatRate));
}
